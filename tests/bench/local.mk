# SPDX-License-Identifier: BSD-3-Clause
# Part of tests/Makefile.am

EXTRA_DIST += bench/run bench/calls bench/kmod bench/ucx

noinst_PROGRAMS += bench/count
bench_count_SOURCES = \
	bench/count.c \
	bench/count.h \
	bench/count-heap.c \
	bench/count-port.c \
	bench/count-revoke.c \
	bench/count-touch.c \
	$(NULL)
bench_count_CFLAGS = $(AM_CFLAGS)
bench_count_LDADD = libguest.a

noinst_PROGRAMS += bench/queue
bench_queue_SOURCES = bench/queue.c bench/pin.h
bench_queue_CFLAGS = $(AM_CFLAGS)
bench_queue_LDADD =

noinst_PROGRAMS += bench/floor
bench_floor_SOURCES = bench/floor.c bench/pin.h
bench_floor_CFLAGS = $(AM_CFLAGS)
bench_floor_LDADD =

noinst_PROGRAMS += bench/scale
bench_scale_SOURCES = bench/scale.c bench/scale-hosts.h
bench_scale_CFLAGS = $(AM_CFLAGS)

noinst_PROGRAMS += bench/first-touch
bench_first_touch_SOURCES = bench/first-touch.c
bench_first_touch_CFLAGS = $(AM_CFLAGS)
bench_first_touch_LDADD = $(LDADD) $(NUMA_LIBS)

if WITH_OMPI
noinst_PROGRAMS += bench/pingpong
bench_pingpong_SOURCES = bench/pingpong.c bench/options.c bench/options.h
bench_pingpong_CPPFLAGS = $(OMPI_CPPFLAGS)
bench_pingpong_CFLAGS = $(AX_WARN)
bench_pingpong_LDADD =
bench_pingpong_LINK = $(MPICC) $(bench_pingpong_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@
endif
