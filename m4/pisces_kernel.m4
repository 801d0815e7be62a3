# SPDX-License-Identifier: GPL-2.0-or-later
#
# PISCES_KERNEL
# Finds the headers of the kernel that pisces.ko is built for. Sets KERNEL_DIR,
# KERNEL_RELEASE and have_kernel.
AC_DEFUN([PISCES_KERNEL], [
  AC_ARG_WITH([kernel],
    [AS_HELP_STRING([--with-kernel=DIR],
      [headers of the kernel to build pisces.ko for (default: the running kernel's; no: no module)])],
    [], [with_kernel=yes])
  AC_ARG_WITH([moduledir],
    [AS_HELP_STRING([--with-moduledir=DIR],
      [where pisces.ko is installed (default: /lib/modules/RELEASE/extra)])],
    [], [with_moduledir=])
  have_kernel=no
  KERNEL_DIR=
  KERNEL_RELEASE=
  AC_MSG_CHECKING([for kernel headers])
  AS_CASE([$with_kernel],
    [no], [],
    [yes], [KERNEL_DIR=/lib/modules/`uname -r`/build],
    [KERNEL_DIR=$with_kernel])
  # utsrelease.h is what uname -r will say; Debian's kernel.release is another number.
  AS_IF([test -n "$KERNEL_DIR" && test -f "$KERNEL_DIR/include/generated/utsrelease.h"], [
    have_kernel=yes
    KERNEL_RELEASE=`sed -n 's/^.*UTS_RELEASE "\(.*\)".*/\1/p' "$KERNEL_DIR/include/generated/utsrelease.h"`
  ], [test "$with_kernel" != yes && test "$with_kernel" != no], [
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([$with_kernel has no include/generated/utsrelease.h: not the headers of a built kernel])
  ])
  AC_MSG_RESULT([${KERNEL_RELEASE:-no}])
  MODULE_DIR=${with_moduledir:-/lib/modules/$KERNEL_RELEASE/extra}
  AC_SUBST([MODULE_DIR])
  AC_SUBST([KERNEL_DIR])
  AC_SUBST([KERNEL_RELEASE])
  AM_CONDITIONAL([HAVE_KERNEL], [test $have_kernel = yes])
])
