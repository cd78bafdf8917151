// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: one-sided operations between all ranks: put, get, accumulate,
 * fetch_and_op and compare_and_swap of 32 and 64 bits, MAX and MIN of signed
 * and unsigned numbers, locks and fences
 *
 * onesided [ROUNDS]
 */
#include "check.h"

#define LEN	(300 * 1000)

static void put_get(MPI_Win win, uint8_t *base, int round)
{
	int right = (rank + 1) % nranks, left = (rank + nranks - 1) % nranks;
	uint8_t *buf = malloc(LEN);

	need(buf);
	pattern_fill(buf, LEN, round * 100 + rank);
	MPI_Win_fence(0, win);
	MPI_Put(buf, LEN, MPI_BYTE, right, 0, LEN, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	pattern_check("put", base, LEN, round * 100 + left);
	memset(buf, 0, LEN);
	MPI_Get(buf, LEN, MPI_BYTE, left, 0, LEN, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	pattern_check("get", buf, LEN,
		      round * 100 + (left + nranks - 1) % nranks);
	free(buf);
}

static void counters(MPI_Win win, int rounds)
{
	int64_t one = 1, old;
	int32_t one32 = 1, old32;
	int i;

	for (i = 0; i < rounds; i++) {
		MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
		MPI_Fetch_and_op(&one, &old, MPI_INT64_T, 0, 0, MPI_SUM, win);
		MPI_Fetch_and_op(&one32, &old32, MPI_INT32_T, 0, 8, MPI_SUM,
				 win);
		MPI_Accumulate(&one, 1, MPI_INT64_T, 0, 16, 1, MPI_INT64_T,
			       MPI_SUM, win);
		MPI_Win_unlock(0, win);
		if (old < 0 || old >= (int64_t)rounds * nranks)
			fail("fetch_and_op gave %lld", (long long)old);
	}
}

/* Each increment by compare and swap happens once. */
static void swaps(MPI_Win win, int rounds)
{
	int64_t seen, next, old;
	int i;

	for (i = 0; i < rounds; i++) {
		seen = 0;
		do {
			next = seen + 1;
			MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
			MPI_Compare_and_swap(&next, &seen, &old, MPI_INT64_T,
					     0, 24, win);
			MPI_Win_unlock(0, win);
			if (old == seen)
				break;
			seen = old;
		} while (1);
	}
}

static void extremes(MPI_Win win)
{
	uint64_t large = UINT64_MAX - rank;
	int64_t minus = -1 - rank;

	MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, win);
	MPI_Accumulate(&large, 1, MPI_UINT64_T, 0, 32, 1, MPI_UINT64_T,
		       MPI_MAX, win);
	MPI_Accumulate(&minus, 1, MPI_INT64_T, 0, 40, 1, MPI_INT64_T, MPI_MIN,
		       win);
	MPI_Win_unlock(0, win);
}

static void results(const void *base, int rounds)
{
	int64_t n[6], want = (int64_t)rounds * nranks;
	int32_t n32;

	memcpy(n, base, sizeof(n));
	memcpy(&n32, &n[1], sizeof(n32));
	if (n[0] != want || n32 != want || n[2] != want || n[3] != want)
		fail("counters are %lld %d %lld %lld, not %lld",
		     (long long)n[0], n32, (long long)n[2], (long long)n[3],
		     (long long)want);
	if ((uint64_t)n[4] != UINT64_MAX || n[5] != -nranks)
		fail("MAX gave %llx, MIN gave %lld", (long long)n[4],
		     (long long)n[5]);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100, i;
	uint8_t *base;
	MPI_Win win;

	start(&argc, &argv);
	base = malloc(LEN);
	need(base);
	MPI_Win_create(base, LEN, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &win);
	for (i = 0; i < 5; i++)
		put_get(win, base, i);
	memset(base, 0, LEN);
	MPI_Barrier(MPI_COMM_WORLD);
	counters(win, rounds);
	swaps(win, rounds);
	extremes(win);
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, 0, win);
	if (!rank)
		results(base, rounds);
	MPI_Win_unlock(rank, win);
	MPI_Win_free(&win);
	free(base);
	return finish("onesided");
}
