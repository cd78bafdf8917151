# SPDX-License-Identifier: BSD-3-Clause
#
# The transport needs headers that UCX does not install. They come from the
# unpacked source of the same release; nothing there is built or changed. The
# installed library itself tells how it was configured.
AC_ARG_WITH([ucx-source],
  [AS_HELP_STRING([--with-ucx-source=DIR],
                  [build the transport for UCX; DIR is the unpacked source of the
                   UCX that is installed @<:@no@:>@])],
  [], [with_ucx_source=no])
AC_ARG_VAR([UCX_INFO], [ucx_info of the UCX to build for])
AS_IF([test "x$with_ucx_source" != xno], [
  AS_IF([test ! -f "$with_ucx_source/src/uct/base/uct_iface.h"],
        [AC_MSG_ERROR([$with_ucx_source is no unpacked source of UCX])])
  PKG_CHECK_MODULES([UCX], [ucx >= 1.13], [],
    [AC_MSG_ERROR([UCX is missing: install libucx-dev])])
  UCX_LIBDIR=`$PKG_CONFIG --variable=libdir ucx`
  AC_PATH_PROG([UCX_INFO], [ucx_info], [no],
    [`$PKG_CONFIG --variable=prefix ucx`/bin$PATH_SEPARATOR$PATH])
  AS_IF([test "x$UCX_INFO" = xno],
        [AC_MSG_ERROR([ucx_info is missing: install ucx-utils])])

  AS_MKDIR_P([ucx-tl/generated/uct/api])
  $UCX_INFO -b | $SED -n '/^#define UCX_CONFIG_H/d; /^#define/p' \
    > ucx-tl/generated/config.h
  ucx_version=`$UCX_INFO -v | $SED -n 's/^# \(Library v\|V\)ersion:* *\(@<:@0-9.@:>@*\).*/\2/p' | head -n 1`
  AC_MSG_CHECKING([for the version of UCX])
  AC_MSG_RESULT([$ucx_version])
  ucx_major=`AS_ECHO(["$ucx_version"]) | cut -d. -f1`
  ucx_minor=`AS_ECHO(["$ucx_version"]) | cut -d. -f2`
  ucx_patch=`AS_ECHO(["$ucx_version"]) | cut -d. -f3`
  AS_CASE([$ucx_major.$ucx_minor], [@<:@0-9@:>@*.@<:@0-9@:>@*], [],
          [AC_MSG_ERROR([$UCX_INFO -v does not tell the version])])
  UCX_SERIES=$ucx_major.$ucx_minor
  AS_IF([grep -q "ucx_ver_major@<:@^0-9@:>@*$ucx_major\>" "$with_ucx_source/configure.ac" &&
         grep -q "ucx_ver_minor@<:@^0-9@:>@*$ucx_minor\>" "$with_ucx_source/configure.ac"],
        [], [AC_MSG_ERROR([$with_ucx_source is not of UCX $UCX_SERIES])])
  $SED -e "s/@MAJOR_VERSION@/$ucx_major/g; s/@MINOR_VERSION@/$ucx_minor/g" \
       -e "s/@PATCH_VERSION@/${ucx_patch:-0}/g; s/@VERSION@/$ucx_version/g" \
       -e "s/@EXTRA_VERSION@//g; s/@SCM_VERSION@//g; s/@SCM_BRANCH@//g" \
    "$with_ucx_source/src/uct/api/version.h.in" \
    > ucx-tl/generated/uct/api/version.h
  UCX_SOURCE=`cd "$with_ucx_source" && pwd`

  # Release branches diverge: what a version has is asked of its headers.
  save_CPPFLAGS=$CPPFLAGS
  CPPFLAGS="$CPPFLAGS -DHAVE_CONFIG_H -Iucx-tl/generated -I$UCX_SOURCE/src"
  AC_MSG_CHECKING([whether a transport can be compiled])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <uct/base/uct_md.h>
#include <uct/base/uct_iface.h>]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([the headers of $UCX_SOURCE cannot be used, see config.log])])
  m4_define([UCX_TRY], [
    AC_MSG_CHECKING([whether UCX has $2])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <uct/base/uct_md.h>
#include <uct/base/uct_iface.h>]], [$3])],
      [AC_MSG_RESULT([yes])
       UCX_DEFS="$UCX_DEFS -D$1=1"],
      [AC_MSG_RESULT([no])])])
  UCX_TRY([HAVE_UCX_MD_ATTR_V2], [attributes of memory domains, second form],
    [uct_md_attr_v2_t attr; (void)attr;])
  UCX_TRY([HAVE_UCX_REG_PARAMS], [parameters of registrations],
    [uct_md_mem_reg_params_t params; (void)params;])
  UCX_TRY([HAVE_UCX_INVALIDATE_RMA], [keys that can be taken back by kind],
    [return UCT_MD_FLAG_INVALIDATE_RMA && UCT_MD_MKEY_PACK_FLAG_INVALIDATE_RMA;])
  UCX_TRY([HAVE_UCX_PACK_ADDRESS], [addresses given to those who pack keys],
    [uct_md_ops_t ops;
     ucs_status_t (*f)(uct_md_h, uct_mem_h, void *, size_t,
                       const uct_md_mkey_pack_params_t *, void *) = ops.mkey_pack;
     typedef int same@<:@__builtin_types_compatible_p(__typeof__(f),
                       __typeof__(ops.mkey_pack)) ? 1 : -1@:>@;
     (void)f; (void)sizeof(same);])
  UCX_TRY([HAVE_UCX_ALLOC_DEVICE], [devices given to those who allocate],
    [ucs_status_t (*f)(uct_md_h, size_t *, void **, ucs_memory_type_t,
                       ucs_sys_device_t, unsigned, const char *, uct_mem_h *);
     uct_md_ops_t ops;
     typedef int same@<:@__builtin_types_compatible_p(__typeof__(f),
                       __typeof__(ops.mem_alloc)) ? 1 : -1@:>@;
     (void)sizeof(same);])
  UCX_TRY([HAVE_UCX_UNPACK_PARAMS], [parameters of unpacking keys],
    [uct_rkey_unpack_params_t params; (void)params;])
  UCX_TRY([HAVE_UCX_RKEY_COMPARE], [comparison of keys],
    [uct_component_t c; (void)c.rkey_compare;])
  UCX_TRY([HAVE_UCX_MD_ATTACH], [attached memory],
    [uct_md_ops_t ops; (void)ops.mem_attach;])
  UCX_TRY([HAVE_UCX_MD_ELEM_PACK], [packed elements of memory],
    [uct_md_ops_t ops; (void)ops.mem_elem_pack;])
  UCX_TRY([HAVE_UCX_MD_ELEM_RELEASE], [releasing elements of memory],
    [uct_md_ops_t ops; (void)ops.mem_elem_release;])
  UCX_TRY([HAVE_UCX_MD_BASE_QUERY], [defaults of memory domains],
    [(void)&uct_md_base_md_query;])
  UCX_TRY([HAVE_UCX_REACHABLE_V2], [reachability with reasons],
    [uct_iface_internal_ops_t ops; (void)ops.iface_is_reachable_v2;])
  UCX_TRY([HAVE_UCX_EP_IS_CONNECTED], [questions whom an endpoint is connected to],
    [uct_iface_internal_ops_t ops; (void)ops.ep_is_connected;])
  UCX_TRY([HAVE_UCX_QUERY_V2], [attributes of interfaces, second form],
    [uct_iface_internal_ops_t ops; ops.iface_query_v2 = uct_iface_base_query_v2;
     (void)ops;])
  UCX_TRY([HAVE_UCX_PATH_BANDWIDTH], [bandwidth of a path],
    [uct_perf_attr_t attr; (void)attr.path_bandwidth;])
  UCX_TRY([HAVE_UCX_EP_INVALIDATE_PARAMS], [parameters of invalidating an endpoint],
    [uct_ep_invalidate_params_t params; (void)params;])
  UCX_TRY([HAVE_UCX_ONESHOT], [callbacks that are called once],
    [(void)&ucs_callbackq_add_oneshot;])
  UCX_TRY([HAVE_UCX_INTER_NODE], [a flag for transports between nodes],
    [return UCT_IFACE_FLAG_INTER_NODE != 0;])
  CPPFLAGS=$save_CPPFLAGS
  with_ucx=yes
])
AC_SUBST([UCX_SERIES])
AC_SUBST([UCX_SOURCE])
AC_SUBST([UCX_LIBDIR])
AC_SUBST([UCX_DEFS])
AM_CONDITIONAL([WITH_UCX], [test "x$with_ucx_source" != xno])
AM_CONDITIONAL([WITH_HOOK],
               [test "x$with_ucx_source" != xno && test "x$with_ompi" != xno])
