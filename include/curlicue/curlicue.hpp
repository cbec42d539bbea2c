// SPDX-License-Identifier: MIT
#pragma once

/// All of curlicue.
#include <curlicue/async_multi.hpp>
#include <curlicue/breaker.hpp>
#include <curlicue/cache.hpp>
#include <curlicue/coalesce.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/easy_pool.hpp>
#include <curlicue/error.hpp>
#include <curlicue/executor.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/future.hpp>
#include <curlicue/hedge.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/mock.hpp>
#include <curlicue/multi.hpp>
#include <curlicue/option.hpp>
#include <curlicue/semaphore.hpp>
#include <curlicue/share.hpp>
#include <curlicue/sleep.hpp>
#include <curlicue/task.hpp>
#include <curlicue/task_group.hpp>
#include <curlicue/url.hpp>
#include <curlicue/version.hpp>
