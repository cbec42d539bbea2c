// SPDX-License-Identifier: MIT
'use strict';

const { getSystemErrorName } = require('node:util');
const codes = require('./codes.js');

/** A transfer that failed, or a call that libcurl or curlicue refused. */
class CurlError extends Error {
    constructor(message, { code, errno, phase, attempts, limit, cause }) {
        super(message, cause === undefined ? undefined : { cause });
        this.code = code;
        this.errno = errno;
        if (phase)
            this.phase = phase;
        if (limit)
            this.limit = limit;
        if (attempts > 1)
            this.attempts = attempts;
    }
}
CurlError.prototype.name = 'CurlError';

function systemError(errno) {
    const code = getSystemErrorName(-errno);
    return Object.assign(new Error(code), { code, errno: -errno });
}

const names = {
    curl: (errno) => `CURLE_${codes.easy[errno - 1] ?? errno}`,
    'curl multi': (errno) => `CURLM_${errno}`,
    curlicue: (errno) => `CURLICUE_${codes.curlicue[errno - 1] ?? errno}`,
};

/** Called by the addon for every C++ exception that reaches JavaScript. */
function makeError(category, errno, message, phase, osError, attempts, limit, nested) {
    if (category === 'TypeError')
        return new TypeError(message);
    if (category.startsWith('ERR_'))
        return Object.assign(new RangeError(message), { code: category });
    if (category.startsWith('CURLICUE_'))
        return new CurlError(message, { code: category });
    const code = names[category]?.(errno) ?? 'CURLICUE_FAILED';
    const cause = osError ? systemError(osError) : nested;
    return new CurlError(message, { code, errno, phase, attempts, limit, cause });
}

module.exports = { CurlError, makeError };
