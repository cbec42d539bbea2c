// SPDX-License-Identifier: MIT
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

/** Content of which every part is different, the same each time. */
function bytes(size) {
    const content = Buffer.allocUnsafe(size);
    for (let i = 0; i < size; ++i)
        content[i] = i * 31 + (i >> 8);
    return content;
}

const configuration = (directory, http, https, http11) => `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 8192; }
http {
    access_log off;
    absolute_redirect off;
    keepalive_requests 100000000;
    client_max_body_size 0;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    scgi_temp_path scgi; uwsgi_temp_path uwsgi;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    server {
        listen 127.0.0.1:${http} backlog=4096;
        listen 127.0.0.1:${https} ssl http2;
        listen 127.0.0.1:${http11} ssl;
        root ${directory};
        location = /hello { default_type text/plain; return 200 "hello\\n"; }
        location /bytes/ {}
        location /gzip/ { alias ${directory}/bytes/; gzip on; gzip_types *; gzip_proxied any; }
        location = /redirect { return 302 /hello; }
        location = /redirect/loop { return 302 /redirect/loop; }
        location /status/ { return 404 "not there\\n"; }
        location /upload/ { dav_methods PUT; }
        location = /connection { return 200 $connection; }
    }
}`;

function makeCertificates(directory) {
    const openssl = (...extra) => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
        'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...extra], { cwd: directory, stdio: 'pipe' });
    openssl('-subj', '/CN=curlicue test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
    openssl('-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', '/CN=localhost', '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE',
        '-keyout', 'server.key', '-out', 'server.pem');
}

async function freePort() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

async function serves(port) {
    const socket = net.connect(port, '127.0.0.1');
    try {
        await once(socket, 'connect');
        return true;
    } catch {
        return false;
    } finally {
        socket.destroy();
    }
}

/** nginx with what is in the configuration above, /bytes/SIZE for each of `sizes`, and /upload/NAME. */
async function startNginx({ sizes = [] } = {}) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'curlicue-node-'));
    const [http, https, http11] = [await freePort(), await freePort(), await freePort()];
    for (const name of ['bytes', 'upload'])
        fs.mkdirSync(path.join(directory, name));
    for (const size of sizes)
        fs.writeFileSync(path.join(directory, 'bytes', String(size)), bytes(size));
    makeCertificates(directory);
    fs.writeFileSync(path.join(directory, 'nginx.conf'), configuration(directory, http, https, http11));

    const server = spawn('nginx', ['-c', `${directory}/nginx.conf`, '-p', directory, '-e', 'stderr'],
        { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }, stdio: 'inherit' });
    // A test that fails does not wait for it, nor leaves it behind.
    const end = () => server.kill();
    process.once('exit', end);
    server.unref();
    while (!await serves(http)) {
        if (server.exitCode !== null)
            throw new Error('nginx ended before it served');
        await sleep(5);
    }
    return {
        http: `http://127.0.0.1:${http}`,
        https: `https://localhost:${https}`,
        /** TLS without HTTP/2. */
        http11: `https://localhost:${http11}`,
        authority: path.join(directory, 'ca.pem'),
        directory,
        async stop() {
            process.off('exit', end);
            server.ref();
            server.kill();
            await once(server, 'exit');
            fs.rmSync(directory, { recursive: true });
        },
    };
}

module.exports = { bytes, freePort, startNginx };
