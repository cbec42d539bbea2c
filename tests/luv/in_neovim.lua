-- SPDX-License-Identifier: MIT
-- Runs busted with the words of $BUSTED inside Neovim, which has no arguments for Lua. busted returns
-- if all is well, and raises an error else: then whoever runs this file ends Neovim with `cquit`.
arg = vim.split(os.getenv('BUSTED'), ' ')
arg[0] = 'busted'
require 'busted.runner'({standalone = false})
vim.cmd 'qall!'
