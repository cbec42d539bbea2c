-- SPDX-License-Identifier: MIT
-- What differs between a program that runs luv's loop and Neovim, whose loop runs by itself.
local uv = require 'luv'
local host = {in_neovim = rawget(_G, 'vim') ~= nil}

--- Lets the loop run until `done()`.
function host.wait(done)
  if host.in_neovim then
    assert(vim.wait(60000, done, 1), 'it takes too long')
    return
  end
  while not done() do
    assert(uv.run('once') or done(), 'the loop has nothing to wait for')
  end
end

--- Lets it run for some turns, which may bring nothing.
function host.run_turns()
  for _ = 1, 20 do
    if host.in_neovim then
      vim.wait(2, function() end, 1)
    else
      uv.run('nowait')
    end
  end
end

--- Runs a program in a host of its own.
-- @return its exit code; all that it printed
function host.run(program)
  local file, out = os.tmpname(), os.tmpname()
  local text = assert(io.open(file, 'w'))
  text:write(('package.cpath = %q\n'):format(package.cpath), [[
    local uv, curlicue = require 'luv', require 'curlicue'
    local NGINX = os.getenv('NGINX')
    local function run() if vim then vim.wait(500, function() end) else uv.run() end end
  ]], program)
  text:close()
  local command = os.getenv('LUA_HOST'):format(file)
  local code = os.execute(('%s >%s 2>&1 </dev/null'):format(command, out))
  local printed = assert(io.open(out)):read('*a')
  os.remove(file)
  os.remove(out)
  return code > 255 and code / 256 or code, printed
end

function host.open_descriptors()
  local count, directory = 0, assert(uv.fs_scandir('/proc/self/fd'))
  while uv.fs_scandir_next(directory) do
    count = count + 1
  end
  return count
end

return host
