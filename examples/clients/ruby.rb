# A client in Ruby, with its standard library alone. One file to copy; Ruby 2.6 or later.
#
#   rota = Rota.new('http://127.0.0.1:8080', key: 'rota_...')
#   id = rota.launch(workflow: "define x\n  alpha", callback: 'http://127.0.0.1:8081', fields: { who: 'Ada' })['id']
#   puts rota.wait(id, timeout: 60)['fields']

require 'erb'
require 'json'
require 'net/http'
require 'securerandom'

class Rota
  # What a call that does not succeed raises. Tell one from another by +code+.
  class Error < StandardError
    attr_reader :code, :status, :retryable, :errors, :retry_after

    def initialize(message, code:, status: nil, retryable: false, errors: [], retry_after: nil)
      super(message)
      @code, @status, @retryable, @errors, @retry_after = code, status, retryable, errors, retry_after
    end
  end

  CODES = { 502 => 'bad_gateway', 503 => 'service_unavailable', 504 => 'gateway_timeout' }.freeze

  def initialize(url = nil, key: ENV['ROTA_API_KEY'], tenant: nil, tries: 5, max_delay: 30)
    @url = (url || ENV['ROTA_URL'] || 'http://127.0.0.1:8080').chomp('/')
    @key, @tenant, @tries, @max_delay = key, tenant, tries, max_delay
  end

  def ping
    request('GET', '/v1/ping')
  end

  # +workflow:+ (or +definition:+), +callback:+ or +callbacks:+, +fields:+, ...
  def launch(**body)
    request('POST', '/v1/workflows', body)
  end

  def run(name, **body)
    request('POST', "/v1/definitions/#{part(name)}/run", body)
  end

  def show(id)
    request('GET', "/v1/workflows/#{part(id)}")
  end

  # The workflow once it is over, or in error and waiting for somebody.
  def wait(id, timeout: nil)
    stop = timeout && now + timeout
    delay = 0.05
    loop do
      workflow = show(id)
      return workflow if workflow['ended_at'] || workflow['status'] == 'error'
      raise Error.new("#{id} is still #{workflow['status']}", code: 'timeout', retryable: true) if stop && now >= stop

      sleep delay
      delay = [delay * 1.5, 2].min
    end
  end

  def proceed(proceed_url, fields = nil)
    request('POST', proceed_url, fields ? { fields: fields } : {})
  end

  def fail(proceed_url, message, **more)
    request('POST', proceed_url.sub(/proceed(?=\?|\z)/, 'fail'), { message: message, **more })
  end

  def cancel(id, **body)
    request('POST', "/v1/workflows/#{part(id)}/cancel", body)
  end

  def message(id, name, **data)
    request('POST', "/v1/workflows/#{part(id)}/messages/#{part(name)}", data)
  end

  # Sends an event (CloudEvents 1.0): +source:+, +type:+, +data:+, ...
  def send_event(**event)
    whole = { specversion: '1.0', id: SecureRandom.uuid, **event }
    request('POST', '/v1/events', whole, 'Content-Type' => 'application/cloudevents+json')
  end

  # Workflows over all pages, the newest first.
  def list(**filters)
    return enum_for(:list, **filters) unless block_given?

    cursor = nil
    loop do
      query = URI.encode_www_form(filters.merge(cursor ? { cursor: cursor } : {}))
      page = request('GET', query.empty? ? '/v1/workflows' : "/v1/workflows?#{query}")
      page['workflows'].each { |workflow| yield workflow }
      cursor = page['next_cursor']
      return if cursor.nil?
    end
  end

  # Any call there is. All tries of a POST have one Idempotency-Key.
  def request(method, path, body = nil, headers = {})
    uri = URI(path.start_with?('http://', 'https://') ? path : @url + path)
    head = { 'Accept' => 'application/json, text/plain;q=0.9' }
    # A proceed_url with a token of its own needs no key, and other servers have no business with it.
    head['Authorization'] = "Bearer #{@key}" if @key && uri.to_s.start_with?("#{@url}/") && !uri.query.to_s.include?('token=')
    head['Rota-Tenant'] = @tenant if @tenant
    head['Content-Type'] = 'application/json' if body
    head['Idempotency-Key'] = SecureRandom.uuid if method == 'POST'
    head.update(headers)
    @tries.times do |number|
      begin
        return once(method, uri, body && JSON.generate(body), head)
      rescue Error => error
        delay = [0.2 * 2**number * (0.5 + rand), error.retry_after || 0].max
        raise if !error.retryable || number + 1 == @tries || delay > @max_delay
      end
      sleep delay
    end
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def part(text)
    ERB::Util.url_encode(text)
  end

  def once(method, uri, data, head)
    answer = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', open_timeout: 10, read_timeout: 60) do |http|
      http.send_request(method, uri.request_uri, data, head)
    end
    is_json = answer['Content-Type'].to_s.include?('json')
    return is_json ? JSON.parse(answer.body) : answer.body.to_s if answer.code.to_i < 300

    raise error_of(answer, is_json)
  rescue SystemCallError, SocketError, Timeout::Error, EOFError => error
    raise Error.new("#{uri}: #{error.message}", code: 'unreachable', retryable: true)
  end

  def error_of(answer, is_json)
    status = answer.code.to_i
    after = answer['Retry-After'].to_s
    known = { status: status, retry_after: after.match?(/\A\d+\z/) ? after.to_i : nil }
    problem = is_json ? JSON.parse(answer.body) : {}
    unless problem['code']
      passes = [408, 425, 429].include?(status) || (status >= 500 && status != 501)
      return Error.new("#{status} #{answer.message}", code: CODES.fetch(status, "http_#{status}"), retryable: passes, **known)
    end
    Error.new(problem['detail'], code: problem['code'], retryable: problem['retryable'], errors: problem['errors'] || [], **known)
  end
end

if $PROGRAM_NAME == __FILE__
  abort 'ruby ruby.rb order.radial http://127.0.0.1:8081 who=Ada' if ARGV.size < 2
  file, callback, *pairs = ARGV
  rota = Rota.new
  id = rota.launch(workflow: File.read(file), callback: callback, fields: pairs.to_h { |pair| pair.split('=', 2) })['id']
  puts JSON.generate(rota.wait(id, timeout: 60))
end
