/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PISCES_KMOD_PLACES_H
#define PISCES_KMOD_PLACES_H

struct pisces_places;

/* PISCES_IOC_PLACES: 0 and REQUEST->count, or -errno. Sleeps. */
int places_list(struct pisces_places *request);

#endif
