// SPDX-License-Identifier: BSD-3-Clause
/* key.c - the owner's side of keys that can be taken back */
#include "component.h"

/* So many are zeros of the kernel, and no memory until they are used. */
static bool words_alloc(struct keys *keys)
{
	keys->words = ucs_calloc(KEY_COUNT, sizeof(*keys->words),
				 "xpmem_numa_keys");
	keys->free = KEY_COUNT;
	return keys->words;
}

void keys_fini(struct keys *keys)
{
	ucs_free(keys->words);
}

/* ---- fences ---- */

/* Without one the writes of peers fail, and they are told so. */
static struct xnuma_export *fence_make(struct iface *iface, uint8_t *rkey)
{
	struct xnuma_export *fence;

	if (!xnuma_export(iface->domain, NULL, 1UL << 47,
			  XNUMA_READ | XNUMA_WRITE, &fence)) {
		xnuma_export_pack(fence, rkey);
		return fence;
	}
	ucs_diag("xpmem_numa: no fence: %s", xnuma_error());
	memset(rkey, 0, XNUMA_RKEY_LEN);
	return NULL;
}

/* The new one is known before the old one ends, so nobody is without. */
static void fence_exchange(struct iface *iface)
{
	struct key_offer *offer = &iface->offer;
	struct xnuma_export *old = iface->fence;
	uint64_t next = atomic_load(&offer->fences) + 1;

	iface->fence = fence_make(iface, offer->fence[next & 1]);
	atomic_store(&offer->fences, next);
	if (old)
		xnuma_unexport(old);
}

static void offer_words(struct iface *iface, const struct keys *keys)
{
	fence_exchange(iface);
	iface->offer.words = (uintptr_t)keys->words;
}

void offer_open(struct iface *iface)
{
	struct md *md = iface_md(iface);

	pthread_mutex_lock(&md->lock);
	ucs_list_add_tail(&md->ifaces, &iface->of_md);
	if (md->keys.words)
		offer_words(iface, &md->keys);
	pthread_mutex_unlock(&md->lock);
}

void offer_close(struct iface *iface)
{
	struct md *md = iface_md(iface);

	pthread_mutex_lock(&md->lock);
	ucs_list_del(&iface->of_md);
	if (iface->fence)
		xnuma_unexport(iface->fence);
	pthread_mutex_unlock(&md->lock);
}

/* ---- keys; with the lock ---- */

/* Who never gave a key of this kind has no words and no fences. */
static bool keys_begin(struct md *md)
{
	struct iface *iface;

	if (md->keys.words)
		return true;
	if (!words_alloc(&md->keys))
		return false;
	ucs_list_for_each(iface, &md->ifaces, of_md)
		offer_words(iface, &md->keys);
	return true;
}

/* Return: never one that there was before, or 0 */
uint64_t key_make(struct md *md)
{
	struct keys *keys = &md->keys;
	struct key_word *word;
	uint32_t place;

	if (!keys_begin(md))
		return 0;
	place = keys->free;
	if (place < KEY_COUNT)
		keys->free = keys->words[place].next;
	else if (keys->count < KEY_COUNT)
		place = keys->count++;
	else
		return 0;
	word = &keys->words[place];
	if (!word->number)
		word->number = 1;
	return key_of(place, word->number);
}

/* From now on it does not stand; puts that found it standing may go on. */
void key_drop(struct md *md, uint64_t key)
{
	struct keys *keys = &md->keys;
	struct key_word *word = &keys->words[key_place(key)];

	atomic_fetch_add(&word->number, 1);
	word->next = keys->free;
	keys->free = key_place(key);
}

/* On return the memory is not read as data nor written by this key. */
void key_revoke(struct md *md, uint64_t key)
{
	struct iface *iface;

	key_drop(md, key);
	ucs_list_for_each(iface, &md->ifaces, of_md)
		fence_exchange(iface);
}
