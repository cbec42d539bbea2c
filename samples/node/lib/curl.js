// SPDX-License-Identifier: MIT
'use strict';

const native = require('./native.js');
const { demand, demandNetwork, isLimited } = require('./permission.js');

const numbered = (names) => new Set(names.map((name) => native.options[name]));
const reads = numbered(['CAINFO', 'CAPATH', 'CRLFILE', 'ISSUERCERT', 'SSLCERT', 'SSLKEY', 'PROXY_CAINFO',
    'PROXY_CAPATH', 'PROXY_CRLFILE', 'PROXY_ISSUERCERT', 'PROXY_SSLCERT', 'PROXY_SSLKEY', 'SSH_KNOWNHOSTS',
    'SSH_PRIVATE_KEYFILE', 'SSH_PUBLIC_KEYFILE', 'COOKIEFILE', 'NETRC_FILE', 'RANDOM_FILE', 'ALTSVC', 'HSTS']);
const writes = numbered(['COOKIEJAR', 'ALTSVC', 'HSTS']);
const { URL, DEFAULT_PROTOCOL, NETRC, PUT, REDIR_PROTOCOLS, REDIR_PROTOCOLS_STR, UPLOAD } = native.options;
const CURLPROTO_FILE = 1 << 10;

function numberOf(option) {
    return typeof option === 'string' ? native.options[option.replace(/^CURLOPT_/, '').toUpperCase()] : option;
}

/** Whether a transfer may come to a file by this option. Of a URL more than libcurl may say so. */
function leadsToFile(number, value) {
    switch (number) {
    case URL:
        return /^\s*file:/i.test(value);
    case DEFAULT_PROTOCOL:
        return /^file$/i.test(value);
    case REDIR_PROTOCOLS_STR:
        return /\b(file|all)\b/i.test(value);
    case REDIR_PROTOCOLS:
        return (value & CURLPROTO_FILE) !== 0;
    default:
        return false;
    }
}

const ofFiles = new WeakSet(); // those that need no network

/** A Curl under --permission: files are read and written, and servers asked, where that is granted. */
class LimitedCurl extends native.Curl {
    #sends = false;
    #mayComeToFile = false;

    constructor(url) {
        super(url);
        if (url !== undefined)
            this.setopt('URL', url);
    }

    setopt(option, value) {
        const number = numberOf(option);
        if (value !== null && value !== undefined && value !== '')
            this.#demand(number, value);
        super.setopt(option, value);
        if (number === URL)
            ofFiles[/^file:/i.test(value) ? 'add' : 'delete'](this);
        return this;
    }

    unset(option) {
        return this.setopt(option, null);
    }

    perform() {
        demandTransfer(this);
        return super.perform();
    }

    #demand(number, value) {
        if (reads.has(number))
            demand('fs.read', value);
        if (writes.has(number))
            demand('fs.write', value);
        const file = leadsToFile(number, value);
        if (file || (number === NETRC && value))
            demand('fs.read');
        this.#mayComeToFile ||= file;
        this.#sends ||= [UPLOAD, PUT].includes(number) && Boolean(value);
        if (this.#mayComeToFile && this.#sends)
            demand('fs.write');
    }
}

/** @throws as `demand`, if `curl` may ask nobody */
function demandTransfer(curl) {
    if (!ofFiles.has(curl))
        demandNetwork();
}

module.exports = { Curl: isLimited ? LimitedCurl : native.Curl, demandTransfer };
