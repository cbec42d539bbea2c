/* SPDX-License-Identifier: MIT */
/* sizes URL…: fetches all at once, four from a server at a time, and tells how long each is. */
#include <curlicue/curlicue.h>

#include <stdio.h>
#include <uv.h>

static void done(void* url, curlicue_call* call, const curlicue_outcome* outcome) {
    (void)call;
    if (outcome->status != 0)
        printf("%s: %s\n", (const char*)url, outcome->message);
    else
        printf("%s: status %d, %zu bytes\n", (const char*)url, outcome->head->status,
               outcome->body_size);
}

int main(int argc, char** argv) {
    uv_loop_t* const loop = uv_default_loop();
    curlicue_multi* multi = NULL;
    curlicue_client* client = NULL;
    const curlicue_client_options options = {
        .size = sizeof options, .per_origin = 4, .limits = {.total_ms = 30000}};
    if (curlicue_multi_new(loop, NULL, &multi) != 0 ||
        curlicue_client_new(multi, &options, &client) != 0)
        return 1;
    for (int i = 1; i < argc; ++i) {
        const curlicue_request request = {
            .size = sizeof request, .url = argv[i], .on_done = done, .data = argv[i]};
        if (curlicue_fetch(multi, client, &request, NULL) != 0)
            printf("%s: %s\n", argv[i], curlicue_last_refusal());
    }
    uv_run(loop, UV_RUN_DEFAULT);
    curlicue_client_free(client);
    curlicue_multi_free(multi);
    return uv_run(loop, UV_RUN_DEFAULT);
}
