// SPDX-License-Identifier: MIT
'use strict';

const { isToken } = require('./headers.js');

/** The first line of a head, as servers write it. */
function statusOf(head) {
    const [, version = '', status = 0, text = ''] = /^HTTP\/?(\S*)[ \t]+(\d{3}) ?(.*)/.exec(head) ?? [];
    return { version, status: Number(status), text };
}

/**
 * The headers of a head that came over the wire. What libcurl has let pass is no error here: a line
 * that is folded is one (RFC 9112, 5.2), blanks before a colon are no part of the name, line breaks and
 * NUL are blanks (RFC 9110, 5.5), and a line without a proper name is left out.
 */
function headersIn(head) {
    const headers = new Headers();
    const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    for (const line of lines.slice(1)) {
        const colon = line.indexOf(':');
        let end = colon;
        while (end > 0 && ' \t'.includes(line[end - 1]))
            --end;
        const name = line.slice(0, end);
        if (isToken(name))
            headers.append(name, line.slice(colon + 1).replace(/[\r\0]/g, ' '));
    }
    return headers;
}

module.exports = { headersIn, statusOf };
