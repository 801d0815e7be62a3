/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PISCES_JSON_ENCLAVE_H
#define PISCES_JSON_ENCLAVE_H

#include "json.h"
#include "tool.h"

/* What every command tells of an enclave, into the object that has been begun. */
void json_enclave(struct json *json, const struct pisces_info *info);

#endif
