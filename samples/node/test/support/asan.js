// SPDX-License-Identifier: MIT
'use strict';

// The address sanitizer refuses what is bound deep: libcurl then finds the OpenSSL of Node's.
const { RTLD_DEEPBIND = 0 } = require('node:os').constants.dlopen;
const { dlopen } = process;
process.dlopen = (module, file, flags) => dlopen.call(process, module, file, flags & ~RTLD_DEEPBIND);
