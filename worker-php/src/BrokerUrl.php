<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use InvalidArgumentException;
use PhpAmqpLib\Connection\AbstractConnection;
use PhpAmqpLib\Connection\AMQPStreamConnection;

/**
 * Where the broker is: amqp://user:password@host:port/vhost (https://www.rabbitmq.com/docs/uri-spec). Every part but the
 * scheme and the host may be missing.
 *
 * @internal
 */
final class BrokerUrl
{
    private const PORTS = ['amqp' => 5672, 'amqps' => 5671];

    /** @var array<string, string|int> as parse_url gives them */
    private readonly array $parts;

    /** @throws InvalidArgumentException whose message does not show the URL: it has a password */
    public function __construct(#[\SensitiveParameter] string $url)
    {
        $parts = parse_url($url);
        if ($parts === false || !isset(self::PORTS[$parts['scheme'] ?? ''], $parts['host'])) {
            throw new InvalidArgumentException('The URL of the broker is amqp://user:password@host:port/vhost.');
        }
        if (isset($parts['query'])) {
            throw new InvalidArgumentException('The URL of the broker has a query, which the Publisher does not read.');
        }
        $this->parts = $parts;
    }

    /**
     * @param float $timeout seconds for each step
     * @return Closure(): AbstractConnection
     */
    public function connector(float $timeout): Closure
    {
        // Not by php-amqplib's factory, which forgets the time limit, and TLS itself, for an amqps connection.
        return fn (): AbstractConnection => new AMQPStreamConnection(
            host: (string) $this->parts['host'],
            port: (int) ($this->parts['port'] ?? self::PORTS[$this->parts['scheme']]),
            user: $this->decoded('user', 'guest'),
            password: $this->decoded('pass', 'guest'),
            vhost: $this->vhost(),
            // As the daemon does; php-amqplib's default, AMQPLAIN, is RabbitMQ's own and may be switched off.
            login_method: 'PLAIN',
            connection_timeout: $timeout,
            read_write_timeout: $timeout,
            context: $this->parts['scheme'] === 'amqps' ? $this->tls() : null,
            channel_rpc_timeout: $timeout,
        );
    }

    /** @return resource a stream context; with an ssl option in it, php-amqplib speaks TLS */
    private function tls()
    {
        $versions = STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT | STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT;
        $options = ['verify_peer' => true, 'verify_peer_name' => true, 'crypto_method' => $versions];
        return stream_context_create(['ssl' => $options]);
    }

    /** The path without its slash; none at all, and a lone slash, are the default virtual host. */
    private function vhost(): string
    {
        $path = substr((string) ($this->parts['path'] ?? ''), 1);
        return $path === '' ? '/' : rawurldecode($path);
    }

    private function decoded(string $part, string $default): string
    {
        return isset($this->parts[$part]) ? rawurldecode((string) $this->parts[$part]) : $default;
    }
}
