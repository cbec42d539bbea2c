// SPDX-License-Identifier: MIT
int uv_linked_in(void) { return 0; }
