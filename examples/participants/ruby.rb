# A participant in Ruby, with its standard library alone: ROTA_WEBHOOK_SECRET=whsec_... ruby ruby.rb
#
# It checks who sent a message, answers it at once, does the work after, and hands the workitem back. Without a secret it takes messages from
# anybody. Ruby 2.6 or later.

require 'json'
require 'net/http'
require 'openssl'
require 'securerandom'
require 'socket'

HOST = ENV.fetch('HOST', '127.0.0.1')
PORT = Integer(ENV.fetch('PORT', '8081'))
SECRET = ENV['ROTA_WEBHOOK_SECRET']
AGE_SECONDS_MAX = 300
BODY_BYTES_MAX = 32 * 1024 * 1024
KNOWN_MAX = 10_000
TRIES = 5

# The work. What it returns is merged over the fields; what it raises fails the workitem.
def work(workitem)
  { "#{workitem['participant']}_greeting" => "Hello, #{workitem['fields'].fetch('who', 'nobody')}" }
end

# Whether the message was signed with our secret within the last 300 seconds (Standard Webhooks).
def signed?(headers, body)
  id, seconds = headers['webhook-id'], headers['webhook-timestamp'].to_s
  return false unless id && seconds.match?(/\A\d{1,12}\z/) && (Time.now.to_i - seconds.to_i).abs <= AGE_SECONDS_MAX

  key = SECRET.delete_prefix('whsec_').unpack1('m')
  expected = "v1,#{[OpenSSL::HMAC.digest('SHA256', key, "#{id}.#{seconds}.#{body}")].pack('m0')}"
  headers['webhook-signature'].to_s.split(' ').any? do |one|
    one.bytesize == expected.bytesize && OpenSSL.fixed_length_secure_compare(one, expected)
  end
end

# Posts JSON; tries again what may pass, always with the same Idempotency-Key.
def post(url, value)
  uri = URI(url)
  headers = { 'Content-Type' => 'application/json', 'Idempotency-Key' => SecureRandom.hex(16) }
  TRIES.times do |number|
    begin
      options = { use_ssl: uri.scheme == 'https', open_timeout: 10, read_timeout: 30 }
      answer = Net::HTTP.start(uri.host, uri.port, **options) { |http| http.post(uri.request_uri, JSON.generate(value), headers) }
      code = answer.code.to_i
      return answer.body if code < 300
      unless [408, 425, 429].include?(code) || (code >= 500 && code != 501)
        warn "refused: #{code} #{answer.body.to_s[0, 1000]}"
        return nil
      end
    rescue SystemCallError, SocketError, Timeout::Error, EOFError => error
      warn "unreachable: #{error.message}"
    end
    sleep 0.2 * 2**number if number + 1 < TRIES
  end
  nil
end

def perform(workitem)
  url = workitem['proceed_url']
  begin
    fields = work(workitem)
  rescue StandardError => error
    post(url.sub(/proceed(?=\?|\z)/, 'fail'), 'message' => error.message, 'class' => error.class.name)
    return
  end
  post(url, 'fields' => fields)
end

def answer(socket, status)
  words = { 204 => 'No Content', 400 => 'Bad Request', 401 => 'Unauthorized', 405 => 'Method Not Allowed', 413 => 'Content Too Large' }
  length = status == 204 ? '' : "Content-Length: 0\r\n"
  socket.write "HTTP/1.1 #{status} #{words[status]}\r\n#{length}Connection: close\r\n\r\n"
end

def serve(socket, todo, known, lock)
  return answer(socket, 405) unless socket.gets.to_s.start_with?('POST ')

  headers = {}
  while (line = socket.gets) && line != "\r\n"
    name, value = line.split(':', 2)
    headers[name.strip.downcase] = value.to_s.strip
  end
  length = headers['content-length'].to_i
  return answer(socket, 413) if length > BODY_BYTES_MAX

  body = socket.read(length).to_s
  return answer(socket, 401) if SECRET && !signed?(headers, body)

  workitem = begin
    JSON.parse(body)
  rescue JSON::ParserError
    nil
  end
  return answer(socket, 400) unless workitem.is_a?(Hash) && workitem['proceed_url']

  message = headers['webhook-id']
  is_known = lock.synchronize do
    before = known.key?(message)
    known[message] = true if message
    known.shift while known.size > KNOWN_MAX
    before
  end
  todo << workitem if !is_known && workitem['status'] == 'active'
  puts "stop: #{workitem['workitem_id']} #{workitem['status']}" if workitem['status'] != 'active'
  answer(socket, 204)
ensure
  socket.close
end

$stdout.sync = true
todo = Queue.new
known = {}
lock = Mutex.new
Thread.new { loop { perform(todo.pop) } }
server = TCPServer.new(HOST, PORT)
puts "listening at http://#{HOST}:#{server.addr[1]}"
loop { Thread.new(server.accept) { |socket| serve(socket, todo, known, lock) } }
