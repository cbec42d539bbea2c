// SPDX-License-Identifier: MIT
// Compiled, never run. What must not compile says so.
import { fetch, AsyncCurlMulti, Client, Curl, CurlError, READFUNC_PAUSE, type Phase } from 'curlicue';

async function* parts(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
}

export async function use(signal: AbortSignal): Promise<Phase | undefined> {
    const multi = new AsyncCurlMulti({ caCache: true, shards: 1 }).unref().ref();
    try {
        const response = await fetch(new URL('http://127.0.0.1/'), {
            method: 'PUT', body: parts(), headers: { 'X-Test': 'yes' }, signal, multi, redirect: 'error',
            tweak: (curl) => curl.setopt('CAINFO', 'ca.pem'),
        });
        await fetch(new Request('http://127.0.0.1/'), {
            tweakAllHops: true, tweak: (curl, url) => url.length === 0 || curl.unset('URL'),
        });
        const client = new Client({ multi, limits: { perOrigin: 6 }, retry: { attempts: 3, statuses: [503] }, memory: 1e6 });
        await client.fetch('http://127.0.0.1/', { retry: 2, priority: 1, queueTimeout: 1000, firstByteTimeout: 1000,
            allowAddress: (address, family) => family === 6 || address !== '127.0.0.1' });
        await fetch('http://127.0.0.1/', { allowAddress: 'public' });
        const waiting: number | undefined = client.stats().queuedByOrigin['http://127.0.0.1:80'];
        console.log(waiting);
        await client.close();
        const type: string | null = response.headers.get('content-type');
        for await (const chunk of response)
            console.log(type, chunk.byteLength);
        const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
        await reader.cancel();

        const curl = await multi.perform(new Curl('http://127.0.0.1/')
            .setopt('WRITEFUNCTION', (chunk) => chunk.byteLength)
            .setopt('READFUNCTION', (size) => size > 1 ? new Uint8Array(1) : READFUNC_PAUSE)
            .setopt('HTTPHEADER', ['Accept: text/plain']));
        const status = curl.getinfo('RESPONSE_CODE');
        console.log(status === 200);

        // @ts-expect-error: no such redirect
        await fetch('http://127.0.0.1/', { redirect: 'sometimes' });
        // @ts-expect-error: no such guard
        await fetch('http://127.0.0.1/', { allowAddress: 'private' });
        // @ts-expect-error: it has a multi
        await client.fetch('http://127.0.0.1/', { multi });
        // @ts-expect-error: no such body
        await fetch('http://127.0.0.1/', { body: 5 });
        // @ts-expect-error: lines are strings
        curl.setopt('HEADERFUNCTION', (line: number) => line);
        // @ts-expect-error: made by fetch alone
        new (response.constructor as typeof import('curlicue').Response)();
    } catch (error) {
        if (error instanceof CurlError)
            return error.cause?.code === 'ECONNREFUSED' ? undefined : error.phase;
        throw error;
    } finally {
        await multi.close();
    }
    return undefined;
}
