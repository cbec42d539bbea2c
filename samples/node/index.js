// SPDX-License-Identifier: MIT
'use strict';

const { Client } = require('./lib/client.js');
const { Curl } = require('./lib/curl.js');
const { CurlError } = require('./lib/error.js');
const { fetch } = require('./lib/fetch.js');
const { AsyncCurlMulti } = require('./lib/multi.js');
const { curlVersion, options } = require('./lib/native.js');
const { Response } = require('./lib/response.js');

// For Curl.pause.
const PAUSE_RECV = 1;
const PAUSE_SEND = 4;
const PAUSE_ALL = 5;
const PAUSE_CONT = 0;
// What the functions of a Curl may return.
const WRITEFUNC_PAUSE = 0x10000001;
const READFUNC_PAUSE = 0x10000001;
const READFUNC_ABORT = 0x10000000;

// Names alone, so that `import { … }` finds them.
module.exports = {
    fetch, Response, Client, Curl, AsyncCurlMulti, CurlError, options, curlVersion,
    PAUSE_RECV, PAUSE_SEND, PAUSE_ALL, PAUSE_CONT, WRITEFUNC_PAUSE, READFUNC_PAUSE, READFUNC_ABORT,
};
