# SPDX-License-Identifier: BSD-3-Clause
# Part of tests/Makefile.am

EXTRA_DIST += bench/run bench/calls

noinst_PROGRAMS += bench/first-fault
bench_first_fault_SOURCES = bench/first-fault.c
bench_first_fault_CPPFLAGS = -I$(top_srcdir)/include
bench_first_fault_CFLAGS = $(AX_WARN)
bench_first_fault_LDADD =

noinst_PROGRAMS += bench/queue
bench_queue_SOURCES = bench/queue.c
bench_queue_CFLAGS = $(AM_CFLAGS)
bench_queue_LDADD =

if WITH_OMPI
noinst_PROGRAMS += bench/pingpong
bench_pingpong_SOURCES = bench/pingpong.c bench/options.c bench/options.h
bench_pingpong_CPPFLAGS = $(OMPI_CPPFLAGS)
bench_pingpong_CFLAGS = $(AX_WARN)
bench_pingpong_LDADD =
bench_pingpong_LINK = $(MPICC) $(bench_pingpong_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@
endif
