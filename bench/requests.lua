-- Sends the requests of a file in turn, round and round, and ends with one line of JSON.
-- The file: for each request its length in bytes, a line feed, and its bytes.

local requests, place = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  while true do
    local size = file:read("*n")
    if not size then break end
    file:read(1)
    requests[#requests + 1] = file:read(size)
  end
  file:close()
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"refused":%d,"broken":%d,"p50":%f,"p95":%f,"p99":%f,"worst":%f}\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))
end
