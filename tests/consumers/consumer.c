/* SPDX-License-Identifier: MIT */
/* consumer FILE: the same in C, on a loop of its own. */
#include <curlicue/curlicue.h>

#include <stdio.h>
#include <uv.h>

static size_t count(char* data, size_t size, size_t many, void* bytes) {
    (void)data;
    *(size_t*)bytes += size * many;
    return size * many;
}

static void done(void* failed, CURL* handle, int status, const char* message) {
    (void)handle;
    if (status != CURLICUE_OK)
        fprintf(stderr, "%s\n", message);
    else
        *(int*)failed = 0;
}

int main(int argc, char** argv) {
    uv_loop_t* const loop = uv_default_loop();
    curlicue_multi* multi = NULL;
    curlicue_easy* page = NULL;
    size_t bytes = 0;
    char url[1000];
    int failed = 1;
    if (argc != 2 || curlicue_multi_new(loop, NULL, &multi) != 0 || curlicue_easy_new(&page) != 0)
        return 1;
    snprintf(url, sizeof url, "file://%s", argv[1]);
    curl_easy_setopt(curlicue_easy_handle(page), CURLOPT_URL, url);
    curl_easy_setopt(curlicue_easy_handle(page), CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(curlicue_easy_handle(page), CURLOPT_WRITEDATA, &bytes);
    if (curlicue_multi_add(multi, curlicue_easy_handle(page), done, &failed) != 0)
        return 1;
    uv_run(loop, UV_RUN_DEFAULT);
    curlicue_easy_free(page);
    curlicue_multi_free(multi);
    uv_run(loop, UV_RUN_DEFAULT);
    printf("%lu bytes, C\n", (unsigned long)bytes);
    return failed || bytes == 0 || uv_loop_close(loop) != 0;
}
