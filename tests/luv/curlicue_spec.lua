-- SPDX-License-Identifier: MIT
-- Lua's module, in whichever host runs this: lua5.1, luajit, nvim.
local uv = require 'luv'
local curlicue = require 'curlicue'
local host = require 'host'

local NGINX, NGINX_TLS = os.getenv('NGINX'), os.getenv('NGINX_TLS')
local SLOW = NGINX .. '/slow/16777216'
local CANCELLED = 2019

--- curlicue.get() in a coroutine, as if one could wait for it anywhere.
local function get(...)
  local arguments, results = {...}, nil
  coroutine.wrap(function() results = {curlicue.get(unpack(arguments))} end)()
  host.wait(function() return results end)
  return unpack(results, 1, 3)
end

--- Closes, and waits until that is done.
local function close()
  local closed = false
  curlicue.close(function() closed = true end)
  assert.is_false(closed)
  host.wait(function() return closed end)
end

describe('curlicue.get', function()
  after_each(close)

  it('gives a coroutine the reply', function()
    local reply, message, code = get(NGINX .. '/hello')
    assert.are.equal(200, reply.status)
    assert.are.equal('hello\n', reply.body)
    assert.are.equal(NGINX .. '/hello', reply.url)
    assert.are.equal('6', reply.headers['content-length'])
    assert.are.equal('Content-Length: 6', table.concat(reply.headers, '\n'):match('Content%-Length: %d+'))
    assert.is_nil(message)
    assert.is_nil(code)
  end)

  it('calls back, but not inside the call', function()
    local reply
    local transfer = curlicue.get(NGINX .. '/hello', function(...) reply = ... end)
    assert.is_nil(reply)
    host.wait(function() return reply end)
    assert.are.equal('hello\n', reply.body)
    assert.is_nil((transfer:cancel()))
  end)

  it('sends method and headers', function()
    local reply = get(NGINX .. '/request', {
      method = 'OPTIONS', headers = {['X-Test'] = 'one', ['User-Agent'] = 'two', 'Cookie: three=3'},
    })
    assert.are.equal('OPTIONS', reply.body:match('^%S+'))
    for _, line in ipairs {'one', 'two', 'three=3'} do
      assert.is_truthy(reply.body:find('\n' .. line .. '\n', 1, true), line)
    end
  end)

  it('leaves out a header, and sends an empty one', function()
    local reply = get(NGINX .. '/request', {headers = {['User-Agent'] = false, ['X-Test'] = ''}})
    assert.is_nil(reply.body:find('curl', 1, true))
    assert.are.equal(200, reply.status)
  end)

  it('sends a body with any bytes in it', function()
    local body = ('\0\r\n\255'):rep(50000)
    assert.are.equal(201, get(NGINX .. '/upload/luv', {method = 'PUT', body = body}).status)
    assert.is_true(get(NGINX .. '/upload/luv').body == body)
    get(NGINX .. '/upload/luv', {method = 'DELETE'})
  end)

  it('says that there is no body where a method has one', function()
    local heads = {}
    local server = uv.new_tcp()
    server:bind('127.0.0.1', 0)
    server:listen(8, function()
      local client = uv.new_tcp()
      server:accept(client)
      local head = ''
      client:read_start(function(_, data)
        if not data then return client:close() end
        head = head .. data
        if not head:find('\r\n\r\n', 1, true) then return end
        heads[#heads + 1] = head:lower()
        client:write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        client:shutdown(function() if not client:is_closing() then client:close() end end)
      end)
    end)
    local url = 'http://127.0.0.1:' .. server:getsockname().port .. '/'
    local bodiless = {
      {method = 'POST'}, {method = 'PUT'}, {method = 'PATCH'}, {post = true}, {upload = true},
      {method = 'POST', post = true}, {method = 'PATCH', upload = true},
    }
    for _, options in ipairs(bodiless) do
      assert.are.equal(200, get(url, options).status)
      assert.is_truthy(heads[#heads]:find('\ncontent-length: 0\r', 1, true), heads[#heads])
      assert.is_nil(heads[#heads]:find('chunked', 1, true))
      if options.method then assert.are.equal(options.method:lower(), heads[#heads]:match('^%S+')) end
    end
    assert.are.equal(200, get(url).status)
    assert.is_nil(heads[#heads]:find('content-length', 1, true))
    server:close()
  end)

  it('gives no body where there is none', function()
    local reply = get(NGINX .. '/hello', {method = 'HEAD'})
    assert.are.equal('6', reply.headers['content-length'])
    assert.are.equal('', reply.body)
  end)

  it('takes all options of libcurl by name', function()
    local reply = get(NGINX .. '/request', {
      useragent = 'mine', httpheader = {'X-Test: list'}, http_version = 1, tcp_nodelay = false,
      max_recv_speed_large = 1e9,
    })
    assert.is_truthy(reply.body:find('\nmine\n', 1, true))
    assert.is_truthy(reply.body:find('\nlist\n', 1, true))
    assert.is_truthy(reply.body:find('HTTP/1.0', 1, true))
  end)

  it('follows redirects where it is asked to', function()
    assert.are.equal(302, get(NGINX .. '/redirect').status)
    local reply = get(NGINX .. '/redirect', {follow = true})
    assert.are.equal(200, reply.status)
    assert.are.equal(NGINX .. '/hello', reply.url)
    local _, _, code = get(NGINX .. '/redirect/loop', {follow = true, maxredirs = 3})
    assert.are.equal(2023, code)
  end)

  it('says which option libcurl does not take', function()
    local reply, message, code = get(NGINX .. '/hello', {http_version = 999})
    assert.is_nil(reply)
    assert.is_truthy(message:find("option 'http_version'", 1, true), message)
    assert.is_true(code < 100)
  end)

  it('takes an error status for a reply', function()
    assert.are.equal(404, get(NGINX .. '/status/404').status)
  end)

  it('says what failed, and libcurl\'s number for it', function()
    local reply, message, code = get(os.getenv('NOBODY'))
    assert.is_nil(reply)
    assert.is_truthy(message:find('connect', 1, true))
    assert.are.equal(7, code)
  end)

  it('ends after its time', function()
    local _, _, code = get(SLOW, {timeout = 50})
    assert.are.equal(28, code)
  end)

  it('trusts whom it is told to trust, and nobody else', function()
    local _, _, code = get(NGINX_TLS .. '/hello')
    assert.are.equal(60, code)
    assert.are.equal('hello\n', get(NGINX_TLS .. '/hello', {cainfo = os.getenv('NGINX_CA')}).body)
  end)

  it('refuses at the call what is wrong', function()
    local function told() end
    for words, options in pairs {
      ['there is no option \'nonsense\''] = {nonsense = 1},
      ['\'writedata\' cannot be set'] = {writedata = 1},
      ['\'useragent\' is to be a string, not a table'] = {useragent = {}},
      ['\'useragent\' has a NUL'] = {useragent = 'a\0b'},
      ['\'timeout\' is to be a number'] = {timeout = 'soon'},
      ['\'httpheader\' is to be a list'] = {httpheader = 'X: y'},
      ['\'write\' is to be a function'] = {write = 1},
      ['\'body\' is to be a string'] = {body = 1},
      ['"GET /" is no name'] = {method = 'GET /'},
      ['"X: y" is no name'] = {headers = {['X: y'] = 1}},
      ['\'headers\' has a line break'] = {headers = {X = 'y\r\nZ: z'}},
      ['\'headers\' is to be strings'] = {headers = {X = {}}},
      ['options have names'] = {1},
      ['\'headers\' is to be a table'] = {headers = 1},
      ['a boolean is no name'] = {headers = {[true] = 1}},
      ['Transfer-Encoding is not the caller\'s'] = {headers = {'Transfer-Encoding: chunked'}},
    } do
      local well, message = pcall(curlicue.get, NGINX .. '/hello', options, told)
      assert.is_false(well)
      assert.is_truthy(message:find(words, 1, true), message)
    end
    assert.has_error(function() curlicue.get(nil, told) end)
    assert.has_error(function() curlicue.get('http://a\0b/', told) end)
    assert.has_error(function() curlicue.get(NGINX, {}, 'told') end)
  end)

  it('needs a callback where there is no coroutine', function()
    assert.has_error(function() curlicue.get(NGINX .. '/hello') end,
      'curlicue: outside of a coroutine it takes a callback')
  end)

  it('wakes no coroutine that does not wait for it', function()
    local woken, well, other = 0, nil, nil
    local function yields_inside_pcall()
      well = pcall(curlicue.get, NGINX .. '/hello') -- only LuaJIT can
      woken = woken + 1
      coroutine.yield()
      woken = woken + 1
    end
    coroutine.wrap(yields_inside_pcall)()
    curlicue.get(NGINX .. '/slow/1024', function() other = true end)
    host.wait(function() return other and woken ~= 0 end)
    host.run_turns()
    assert.are.equal(1, woken)
    assert.are.equal(jit ~= nil, well)
  end)

  it('starts others from a callback', function()
    local count = 0
    local function again()
      count = count + 1
      if count < 10 then
        curlicue.get(NGINX .. '/hello', again)
      end
    end
    again()
    host.wait(function() return count == 10 end)
  end)

  it('has two hundred at once', function()
    local before, whole = host.open_descriptors(), 0
    for _ = 1, 200 do
      curlicue.get(NGINX .. '/bytes/1024', function(reply)
        whole = whole + (reply and #reply.body == 1024 and 1 or 0)
      end)
    end
    host.wait(function() return whole == 200 end)
    close()
    assert.are.equal(before, host.open_descriptors())
  end)

  it('keeps what it needs and nothing more when garbage is collected', function()
    local reply
    local kept = setmetatable({}, {__mode = 'k'})
    do
      local options = {body = ('x'):rep(100000), method = 'PUT'}
      kept[options] = true
      kept[curlicue.get(NGINX .. '/upload/garbage', options, function(...) reply = ... end)] = true
      options = nil
    end
    collectgarbage()
    collectgarbage()
    host.wait(function() return reply end)
    assert.are.equal(201, reply.status)
    assert.are.equal(100000, #get(NGINX .. '/upload/garbage').body)
    collectgarbage()
    collectgarbage()
    assert.is_nil((next(kept)))
    get(NGINX .. '/upload/garbage', {method = 'DELETE'})
  end)
end)

describe('curlicue.get with write', function()
  after_each(close)

  it('hands on the body as it comes', function()
    local chunks, size = 0, 0
    local reply = get(NGINX .. '/bytes/1048576', {
      write = function(chunk)
        chunks = chunks + 1
        size = size + #chunk
      end,
    })
    assert.is_true(chunks > 1)
    assert.are.equal(1048576, size)
    assert.is_nil(reply.body)
    assert.are.equal('1048576', reply.headers['content-length'])
  end)

  it('pauses and goes on', function()
    local transfer, reply
    local chunks, size = 0, 0
    curlicue.get(NGINX .. '/bytes/1048576', {
      write = function(chunk, itself)
        chunks = chunks + 1
        size = size + #chunk
        if chunks == 1 then
          transfer = itself
          assert(itself:pause())
        end
      end,
    }, function(...) reply = ... end)
    host.wait(function() return transfer end)
    host.run_turns()
    assert.are.equal(1, chunks)
    assert.is_nil(reply)
    assert(transfer:unpause())
    host.wait(function() return reply end)
    assert.are.equal(1048576, size)
  end)

  it('ends with the error that write raises, whatever it is', function()
    local error_of_ours = {}
    local chunks = 0
    local reply, message, code = get(NGINX .. '/bytes/1048576', {
      write = function()
        chunks = chunks + 1
        error(error_of_ours)
      end,
    })
    assert.is_nil(reply)
    assert.are.equal(error_of_ours, message)
    assert.are.equal(23, code)
    assert.are.equal(1, chunks)
  end)

  it('may start, cancel and close inside it', function()
    local other
    local reply, _, code = get(SLOW, {
      write = function(_, transfer)
        curlicue.get(NGINX .. '/hello', function(...) other = {...} end)
        assert(transfer:cancel())
        curlicue.close()
      end,
    })
    assert.is_nil(reply)
    assert.are.equal(CANCELLED, code)
    host.wait(function() return other end)
    assert.are.equal(CANCELLED, other[3])
  end)
end)

describe('a transfer', function()
  after_each(close)

  it('is cancelled once', function()
    local told
    local transfer = curlicue.get(SLOW, function(...) told = {...} end)
    assert.is_true(transfer:cancel())
    assert.is_nil(told)
    host.wait(function() return told end)
    assert.are.same({nil, 'cancelled', CANCELLED}, told)
    local again, _, code = transfer:cancel()
    assert.is_nil(again)
    assert.are.equal(2003, code)
  end)

  it('of before a close is none of those after it', function()
    local told, other
    local transfer = curlicue.get(SLOW, function(...) told = {...} end)
    curlicue.close()
    curlicue.get(NGINX .. '/hello', function(...) other = ... end)
    assert.is_nil((transfer:cancel()))
    host.wait(function() return told and other end)
    assert.are.equal(CANCELLED, told[3])
    assert.are.equal(200, other.status)
  end)
end)

describe('curlicue.close', function()
  it('tells all that run, and leaves nothing behind', function()
    close()
    local before, cancelled = host.open_descriptors(), 0
    for _ = 1, 20 do
      curlicue.get(SLOW, function(_, _, code) cancelled = cancelled + (code == CANCELLED and 1 or 0) end)
    end
    host.run_turns()
    close()
    assert.are.equal(20, cancelled)
    assert.are.equal(before, host.open_descriptors())
    if not host.in_neovim then -- which has handles of its own
      local handles = 0
      uv.walk(function() handles = handles + 1 end)
      assert.are.equal(0, handles)
      assert.is_false(uv.loop_alive())
    end
  end)

  it('may come when nothing is open', function()
    close()
    close()
    assert.is_nil(curlicue.close())
    assert.has_error(function() curlicue.close('now') end)
  end)
end)

describe('a program', function()
  it('ends while the connections idle', function()
    if not host.in_neovim then
      assert.are.equal('hello\n', get(NGINX .. '/hello').body)
      assert.is_false(uv.loop_alive())
      assert.is_false(uv.run())
    end
    assert.are.same({0, 'over'}, {host.run [[
      curlicue.get(NGINX .. '/hello', function(reply) io.write('over') end)
      run()
    ]]})
  end)

  it('ends in the middle of transfers', function()
    assert.are.same({0, 'begun'}, {host.run [[
      local begun
      local function write()
        local enough = os.clock() + (begun and 0 or 0.05) -- so that others have to wait for a turn
        repeat until os.clock() > enough
        begun = true
      end
      for _ = 1, 30 do
        curlicue.get(NGINX .. '/slow/16777216', {write = write}, print)
      end
      repeat if vim then vim.wait(1, function() end) else uv.run('once') end until begun
      curlicue.get(NGINX .. '/hello', print)
      io.write('begun')
    ]]})
  end)

  it('ends between a close and its end', function()
    assert.are.same({0, ''}, {host.run [[
      curlicue.get(NGINX .. '/hello', print)
      if not vim then uv.run('once') end
      curlicue.close(print)
      if vim then os.exit(0) end
    ]]})
  end)

  it('ends where a callback says so, with its state closed or not', function()
    for _, how in ipairs {'3', '3, true'} do
      local code, printed = host.run(([[
        curlicue.get(NGINX .. '/slow/16777216', print)
        curlicue.get(NGINX .. '/hello', function() os.exit(%s) end)
        run()
      ]]):format(how))
      assert.are.same({3, ''}, {code, printed}, how)
    end
  end)

  it('is told of errors in callbacks as luv tells them', function()
    local code, printed = host.run [[
      curlicue.get(NGINX .. '/hello', function() error('in a callback of ours') end)
      run()
    ]]
    assert.is_truthy(printed:find('in a callback of ours', 1, true), printed)
    assert.is_truthy(printed:find('stack traceback', 1, true), printed)
    assert.are.equal(host.in_neovim, code == 0)
  end)

  it('is told of errors in coroutines, and where they were', function()
    local code, printed = host.run [[
      local function deep() error('in a coroutine of ours') end
      coroutine.wrap(function()
        curlicue.get(NGINX .. '/hello')
        deep()
      end)()
      run()
    ]]
    assert.is_truthy(printed:find('in a coroutine of ours', 1, true), printed)
    assert.is_truthy(printed:find("in function 'deep'", 1, true) or printed:find('deep', 1, true), printed)
    assert.are.equal(host.in_neovim, code == 0)
  end)

  it('may have a loop in each thread', function()
    if host.run [[uv.new_thread(function() end):join()]] ~= 0 then -- lua-luv 1.48 of Debian 13
      return pending('a program that has made a thread crashes with this luv')
    end
    assert.are.same({0, '6666'}, {host.run [[
      local threads = {}
      for i = 1, 4 do
        threads[i] = uv.new_thread(function(cpath, url)
          package.cpath = cpath
          local uv, curlicue = require 'luv', require 'curlicue'
          curlicue.get(url, function(reply) io.write(#reply.body) io.flush() end)
          uv.run()
        end, package.cpath, NGINX .. '/hello')
      end
      for i = 1, 4 do threads[i]:join() end
    ]]})
  end)

  it('needs luv, and hears so', function()
    local _, printed = host.run [[
      package.loaded.luv, package.loaded.curlicue = nil, nil
      package.preload.luv = function() error('there is none here') end
      print(pcall(require, 'curlicue'))
    ]]
    assert.is_truthy(printed:find('there is none here', 1, true), printed)
  end)

  if host.in_neovim then
    it('goes on in Neovim after an error', function()
      local code, printed = host.run [[
        local count = 0
        for _ = 1, 3 do
          curlicue.get(NGINX .. '/hello', function() count = count + 1; error('one of three') end)
        end
        vim.wait(10000, function() return count == 3 end)
        io.write('all ', count)
      ]]
      assert.are.equal(0, code)
      assert.is_truthy(printed:find('all 3', 1, true), printed)
    end)

    it('is warned in Neovim of what is not for callbacks of a loop', function()
      local _, printed = host.run [[
        local lines
        curlicue.get(NGINX .. '/hello', function(reply)
          vim.schedule(function()
            vim.api.nvim_buf_set_lines(0, 0, -1, false, {(reply.body:gsub('\n', ''))})
            lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
          end)
          vim.api.nvim_buf_get_lines(0, 0, -1, false)
        end)
        vim.wait(10000, function() return lines end)
        io.write('has ', lines[1])
      ]]
      assert.is_truthy(printed:find('E5560', 1, true), printed)
      assert.is_truthy(printed:find('has hello', 1, true), printed)
    end)
  end
end)
