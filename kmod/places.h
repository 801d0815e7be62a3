/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PISCES_KMOD_PLACES_H
#define PISCES_KMOD_PLACES_H

/* PISCES_IOC_PLACES. Anyone may ask. */
int ioctl_places(void __user *argument);

#endif
