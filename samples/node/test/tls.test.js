// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');
const { after, before, describe, test } = require('node:test');
const { fetch, curlVersion } = require('..');
const { bytes, startNginx } = require('./support/nginx.js');

const MIB = 1024 * 1024;

describe('Over TLS', () => {
    let nginx;
    before(async () => nginx = await startNginx({ sizes: [MIB] }));
    after(() => nginx.stop());

    const trusted = (curl) => curl.setopt('CAINFO', nginx.authority);
    const byNode = (url) => new Promise((resolve, reject) => {
        https.get(url, { ca: fs.readFileSync(nginx.authority) }, async (response) => {
            resolve(Buffer.concat(await response.toArray()));
        }).on('error', reject);
    });

    test('a server whose authority is known is fetched from', async () => {
        const response = await fetch(`${nginx.https}/bytes/${MIB}`, { tweak: trusted });
        assert.ok(bytes(MIB).equals(await response.bytes()));
    });

    test('one whose authority is not known is refused', async () => {
        await assert.rejects(fetch(`${nginx.https}/hello`),
            { code: 'CURLE_PEER_FAILED_VERIFICATION', errno: 60, phase: 'tls' });
    });

    test('one with the name of another is refused', async () => {
        const elsewhere = nginx.https.replace('localhost', 'ip6-localhost');
        const tweak = (curl) => trusted(curl).setopt('RESOLVE', [`ip6-localhost:${new URL(elsewhere).port}:127.0.0.1`]);
        await assert.rejects(fetch(`${elsewhere}/hello`, { tweak }),
            { code: 'CURLE_PEER_FAILED_VERIFICATION', phase: 'tls' });
    });

    test('Node\'s own https and crypto work meanwhile, and libcurl keeps to its own library', async () => {
        const hash = (data) => crypto.createHash('sha256').update(data).digest('hex');
        const sum = hash(bytes(MIB));
        const ours = async () => (await fetch(`${nginx.https}/bytes/${MIB}`, { tweak: trusted })).bytes();
        const theirs = () => byNode(`${nginx.https}/bytes/${MIB}`);
        const key = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const bodies = await Promise.all([ours(), theirs(), ours(), theirs(), ours(), theirs()]);
        for (const body of bodies)
            assert.equal(hash(body), sum);
        const signature = crypto.sign('sha256', bodies[0], key.privateKey);
        assert.ok(crypto.verify('sha256', bodies[1], key.publicKey, signature));
        // Node is linked with its own; where libcurl says OpenSSL, that is a library of its own.
        if (/OpenSSL/.test(curlVersion) && process.config.variables.node_shared_openssl === false)
            assert.match(fs.readFileSync('/proc/self/maps', 'utf8'), /\/libssl\.so/);
    });

    test('https is not left for http by a redirect', async () => {
        const { createServer } = https;
        const options = { key: fs.readFileSync(`${nginx.directory}/server.key`), cert: fs.readFileSync(`${nginx.directory}/server.pem`) };
        const server = createServer(options, (_, response) =>
            response.writeHead(302, { Location: `${nginx.http}/hello` }).end()).listen(0, '127.0.0.1');
        await new Promise((listening) => server.once('listening', listening));
        await assert.rejects(fetch(`https://localhost:${server.address().port}/`, { tweak: trusted }),
            { code: 'CURLICUE_REDIRECT_REFUSED' });
        server.closeAllConnections();
        server.close();
    });
});
