// SPDX-License-Identifier: MIT
#pragma once

/// Marks what the shared library shows; everything else is hidden. A program that links the
/// static library defines CURLICUE_STATIC (the Meson and pkg-config dependencies do so).
#if defined(CURLICUE_STATIC) || !defined(__GNUC__)
#define CURLICUE_EXPORT
#else
#define CURLICUE_EXPORT __attribute__((visibility("default")))
#endif
