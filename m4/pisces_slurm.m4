# SPDX-License-Identifier: GPL-2.0-or-later
#
# PISCES_SLURM
# Finds Slurm's plugin headers and the directory where this Slurm looks for
# plugins. Sets SLURM_CPPFLAGS, SLURM_PLUGIN_DIR, SLURM_VERSION and have_slurm.
AC_DEFUN([PISCES_SLURM], [
  AC_ARG_WITH([slurm],
    [AS_HELP_STRING([--with-slurm=PREFIX], [Slurm to build the plugins for (default: the system's)])],
    [], [with_slurm=yes])
  AC_ARG_WITH([slurm-plugindir],
    [AS_HELP_STRING([--with-slurm-plugindir=DIR], [where Slurm loads plugins from (default: asked of Slurm)])],
    [], [with_slurm_plugindir=])
  have_slurm=no
  SLURM_CPPFLAGS=
  AS_CASE([$with_slurm],
    [no], [],
    [yes], [have_slurm=maybe],
    [have_slurm=maybe
     SLURM_CPPFLAGS="-I$with_slurm/include"])
  AS_IF([test $have_slurm = maybe], [
    pisces_save_CPPFLAGS=$CPPFLAGS
    CPPFLAGS="$CPPFLAGS $SLURM_CPPFLAGS"
    AC_CHECK_HEADER([slurm/spank.h], [have_slurm=yes], [have_slurm=no])
    AC_MSG_CHECKING([for the version of Slurm])
    AC_COMPUTE_INT([pisces_slurm_number], [SLURM_VERSION_NUMBER],
      [@%:@include <slurm/slurm_version.h>], [pisces_slurm_number=0])
    SLURM_VERSION=`printf '%d.%02d.%d' $((pisces_slurm_number >> 16)) \
      $((pisces_slurm_number >> 8 & 255)) $((pisces_slurm_number & 255))`
    AC_MSG_RESULT([$SLURM_VERSION])
    CPPFLAGS=$pisces_save_CPPFLAGS
  ])
  AS_IF([test $have_slurm = yes], [
    AC_MSG_CHECKING([where Slurm loads plugins from])
    SLURM_PLUGIN_DIR=$with_slurm_plugindir
    for pisces_dir in \
      "$with_slurm/lib64/slurm" "$with_slurm/lib/slurm" \
      "/usr/lib/`$CC -print-multiarch 2>/dev/null`/slurm-wlm" \
      "/usr/lib/`$CC -print-multiarch 2>/dev/null`/slurm" \
      /usr/lib64/slurm /usr/lib/slurm; do
      AS_IF([test -z "$SLURM_PLUGIN_DIR" && test -d "$pisces_dir"], [SLURM_PLUGIN_DIR=$pisces_dir])
    done
    # Headers alone do not say where the plugins go; Debian's answer is the fallback.
    AS_IF([test -z "$SLURM_PLUGIN_DIR"],
      [SLURM_PLUGIN_DIR="/usr/lib/`$CC -print-multiarch 2>/dev/null`/slurm-wlm"])
    AC_MSG_RESULT([$SLURM_PLUGIN_DIR])
  ])
  AC_SUBST([SLURM_CPPFLAGS])
  AC_SUBST([SLURM_PLUGIN_DIR])
  AM_CONDITIONAL([HAVE_SLURM], [test $have_slurm = yes])
])
