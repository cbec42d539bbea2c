// SPDX-License-Identifier: MIT
'use strict';

const { CurlError } = require('./lib/error.js');
const { fetch } = require('./lib/fetch.js');
const { AsyncCurlMulti } = require('./lib/multi.js');
const { Curl, curlVersion, options } = require('./lib/native.js');
const { Response } = require('./lib/response.js');

module.exports = {
    fetch,
    Response,
    Curl,
    AsyncCurlMulti,
    CurlError,
    /** The numbers of all options of the libcurl at hand, by their names without CURLOPT_. */
    options,
    curlVersion,
    // For Curl.pause.
    PAUSE_RECV: 1,
    PAUSE_SEND: 4,
    PAUSE_ALL: 5,
    PAUSE_CONT: 0,
    // What the functions of a Curl may return.
    WRITEFUNC_PAUSE: 0x10000001,
    READFUNC_PAUSE: 0x10000001,
    READFUNC_ABORT: 0x10000000,
};
