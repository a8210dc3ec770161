-- The action `keyd`: asks an edge about the request. Goes on only with a 204; whatever else happens ends the request.

local edge = os.getenv("KEYD_FORWARD_AUTH")
local told = { ["x-original-method"] = true, ["x-original-uri"] = true,
  ["x-original-content-length"] = true, ["x-original-transfer-encoding"] = true }
-- These concern the client's connection, not the question.
local hop_by_hop = { connection = true, ["keep-alive"] = true, te = true, trailer = true, upgrade = true,
  ["transfer-encoding"] = true, ["content-length"] = true, expect = true }

local function values_of(header)
  local values = {}
  for at = 0, #header do values[#values + 1] = header[at] end
  return values
end

local function answer(txn, status, headers, body)
  local reply = txn:reply({ status = status, body = body })
  for name, header in pairs(headers) do
    if name:sub(1, 2) == "x-" or name == "content-type" or name == "date" then
      for _, value in ipairs(values_of(header)) do reply:add_header(name, value) end
    end
  end
  txn:done(reply)
end

core.register_action("keyd", { "http-req" }, function(txn)
  local headers = {}
  for name, header in pairs(txn.http:req_get_headers()) do
    if not told[name] and not hop_by_hop[name] then headers[name] = values_of(header) end
  end
  local length = txn.sf:req_fhdr("content-length")
  headers["x-original-method"] = { txn.sf:method() }
  headers["x-original-uri"] = { txn.sf:url() }
  if length ~= "" then headers["x-original-content-length"] = { length } end

  local response = core.httpclient():get({ url = edge .. "/", headers = headers, timeout = 5000 })
  if response.status == 204 then
    for name, header in pairs(response.headers) do
      if name:sub(1, 7) == "x-keyd-" then txn.http:req_set_header(name, values_of(header)[1]) end
    end
    txn:set_var("txn.keyd", "verified")
    return
  end
  local status = tonumber(response.headers and response.headers["x-keyd-status"] and response.headers["x-keyd-status"][0])
  if status == nil then
    -- No answer of an edge: out of reach, or not an edge at all.
    txn:done(txn:reply({ status = 503, headers = { ["x-keyd-reason"] = { "front-without-edge" } } }))
  else
    answer(txn, status, response.headers, txn.sf:method() ~= "HEAD" and response.body or "")
  end
end, 0)
