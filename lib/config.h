/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNUMA_LIB_CONFIG_H
#define XNUMA_LIB_CONFIG_H

#include "xnuma.h"

#define CONFIG_MAX_RINGS	65536U

/* Check every field and replace "choose for me" by what was chosen. */
int config_settle(struct xnuma_config *config);

#endif
