/* SPDX-License-Identifier: BSD-3-Clause */
/* queue-all - the queue is internal to the library: who tests it compiles it */
#ifndef XNUMA_TESTS_QUEUE_ALL_H
#define XNUMA_TESTS_QUEUE_ALL_H

#include "queue.c"
#include "queue_cold.c"
#include "queue_dead.c"
#include "queue_own.c"
#include "queue_promote.c"
#include "queue_send.c"
#include "queue_shared.c"
#include "queue_sleep.c"

#endif
