/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines: each names the enclave and its job step. */
#ifndef PISCES_KMOD_LOG_H
#define PISCES_KMOD_LOG_H

#ifdef pr_fmt
#undef pr_fmt
#endif
#define pr_fmt(fmt) "pisces: " fmt

#include <linux/printk.h>

#define enclave_info(e, fmt, ...) \
	pr_info("enclave %u (%s): " fmt, (e)->number, (e)->label, ##__VA_ARGS__)
#define enclave_warn(e, fmt, ...) \
	pr_warn("enclave %u (%s): " fmt, (e)->number, (e)->label, ##__VA_ARGS__)
#define enclave_err(e, fmt, ...) \
	pr_err("enclave %u (%s): " fmt, (e)->number, (e)->label, ##__VA_ARGS__)

#endif
