// SPDX-License-Identifier: MIT
#pragma once

namespace curlicue::detail {

class engine;

/// What is always true of an engine between two callbacks of the loop. Builds with the option
/// `invariants` look after each of them, and abort where it is not; others do nothing here.
/// @threading loop-bound
class invariants {
public:
#ifdef CURLICUE_INVARIANTS
    /// @param turned a turn of the engine ended the callback: nothing is left to be done
    static void check(const engine& of, bool turned) noexcept;
    /// Its last reference is gone.
    static void check_end(const engine& of) noexcept;

private:
    static void check_transfers(const engine& of) noexcept;
    static void check_shards(const engine& of) noexcept;
    static void check_watches(const engine& of) noexcept;
    static void check_timer(const engine& of) noexcept;
    static void check_hold(const engine& of) noexcept;
#else
    static void check(const engine&, bool) noexcept {}
    static void check_end(const engine&) noexcept {}
#endif
};

} // namespace curlicue::detail
