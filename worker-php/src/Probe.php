<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * A request of `fpm-bridge check`: whether the script comes to its worker, and what PHP it runs in. No message comes with it,
 * and nothing is executed or booted for it. Only a FastCGI client of the pool's socket can name the param.
 *
 * @internal
 */
final class Probe
{
    /** The param that makes a request one of these; its value is put before the answer. */
    public const PARAM = 'FPM_BRIDGE_PROBE';

    /** What `fpm-bridge check` compares with the options of the daemon. Nothing that may hold a secret. */
    private const SETTINGS = [
        'auto_append_file',
        'auto_prepend_file',
        'display_errors',
        'display_startup_errors',
        'enable_post_data_reading',
        'error_log',
        'fastcgi.logging',
        'log_errors',
        'max_execution_time',
        'max_input_vars',
        'memory_limit',
        'open_basedir',
        'opcache.enable',
        'opcache.validate_timestamps',
        'output_buffering',
        'post_max_size',
        'upload_tmp_dir',
    ];

    public static function answer(string $mark): void
    {
        if (preg_match('/^[0-9a-f]{32}$/D', $mark) !== 1) {
            StreamRequest::refuse('not executed: ' . self::PARAM . ' has to be 32 hexadecimal digits');
            return;
        }
        $facts = json_encode(self::facts(), JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR);
        if (!headers_sent()) {
            http_response_code(200);
            header('Content-Type: text/plain; charset=utf-8');
        }
        echo "\n{$mark}{$facts}\n";
    }

    /** @return array<string, mixed> */
    private static function facts(): array
    {
        $begun = headers_sent($file, $line);
        $now = microtime(true);
        return [
            'php' => PHP_VERSION,
            'sapi' => PHP_SAPI,
            'package' => self::packageVersion(),
            'time' => $now,
            // Until the script came to its worker.
            'seconds' => $now - (float) ($_SERVER['REQUEST_TIME_FLOAT'] ?? $now),
            'user' => self::userId(),
            'begun' => $begun ? "{$file}:{$line}" : null,
            'settings' => self::settings(),
            'opcache' => self::opcache(),
            'temporary' => self::temporaryFolder(),
            'pool' => PoolFile::settings(),
        ];
    }

    /** @return array<string, string> those that this PHP has */
    private static function settings(): array
    {
        $values = array_combine(self::SETTINGS, array_map(ini_get(...), self::SETTINGS));
        return array_filter($values, is_string(...));
    }

    private static function packageVersion(): ?string
    {
        $versions = \Composer\InstalledVersions::class;
        return class_exists($versions) && $versions::isInstalled('fpm-bridge/worker')
            ? $versions::getPrettyVersion('fpm-bridge/worker')
            : null;
    }

    /** Null where nobody says so. */
    private static function userId(): ?int
    {
        if (function_exists('posix_geteuid')) {
            return posix_geteuid();
        }
        $status = @file_get_contents('/proc/self/status');
        return preg_match('/^Uid:\s+\d+\s+(\d+)/m', (string) $status, $match) === 1 ? (int) $match[1] : null;
    }

    /** @return array{enabled: bool, full: bool, restarts: int} */
    private static function opcache(): array
    {
        $status = function_exists('opcache_get_status') ? @opcache_get_status(false) : false;
        $restarts = $status['opcache_statistics'] ?? [];
        return [
            'enabled' => $status !== false && ($status['opcache_enabled'] ?? false) === true,
            'full' => $status !== false && ($status['cache_full'] ?? false) === true,
            'restarts' => (int) ($restarts['oom_restarts'] ?? 0) + (int) ($restarts['hash_restarts'] ?? 0),
        ];
    }

    /** @return array{path: string, writable: bool, free: ?float} where PHP keeps bodies over 16 KiB; bytes */
    private static function temporaryFolder(): array
    {
        $path = ini_get('upload_tmp_dir') ?: sys_get_temp_dir();
        $free = @disk_free_space($path);
        return ['path' => $path, 'writable' => is_dir($path) && is_writable($path), 'free' => $free === false ? null : $free];
    }
}
