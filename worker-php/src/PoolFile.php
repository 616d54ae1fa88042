<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What php-fpm's configuration file says of the pool that this child belongs to. PHP has no function for it; the titles of
 * the processes name pool and file (Linux), and php-fpm reads the file as this does. It may have changed since php-fpm has read it.
 *
 * @internal
 */
final class PoolFile
{
    /** Of the pool, or of all pools. Nothing that may hold a secret. */
    private const NAMES = [
        'listen.mode',
        'pm',
        'pm.max_children',
        'pm.max_requests',
        'process_control_timeout',
        'request_terminate_timeout',
        'security.limit_extensions',
    ];

    /** Files that include files that include files: deeper than anybody's. */
    private const MAX_DEPTH = 5;

    /** @var array<string, array<string, string>> by section */
    private array $sections = [];
    private string $section = 'global';

    /** @return ?array<string, string> those that are set; null where nobody says so, or the file cannot be read */
    public static function settings(): ?array
    {
        $pool = self::title('self', '/^php-fpm: pool (.+)$/D');
        $parent = self::parent();
        $path = $parent === null ? null : self::title($parent, '/^php-fpm: master process \((.+)\)$/D');
        $file = new self();
        if ($pool === null || $path === null || !$file->read($path)) {
            return null;
        }
        $all = ($file->sections[$pool] ?? []) + ($file->sections['global'] ?? []);
        return array_intersect_key($all, array_flip(self::NAMES));
    }

    private static function title(string $process, string $pattern): ?string
    {
        // open_basedir warns, and hidepid hides.
        $title = trim((string) @file_get_contents("/proc/{$process}/cmdline"), "\0 ");
        return preg_match($pattern, $title, $match) === 1 ? $match[1] : null;
    }

    /** The name of a process may itself hold spaces and parentheses (proc(5)). */
    private static function parent(): ?string
    {
        $stat = (string) @file_get_contents('/proc/self/stat');
        return preg_match('/^.*\) \S (\d+) /s', $stat, $match) === 1 ? $match[1] : null;
    }

    private function read(string $path, int $depth = 0): bool
    {
        $lines = $depth > self::MAX_DEPTH || !@is_readable($path) ? false : @file($path, FILE_IGNORE_NEW_LINES);
        foreach ($lines ?: [] as $line) {
            if (preg_match('/^\s*\[(.+?)\]/', $line, $match) === 1) {
                $this->section = $match[1];
            } elseif (preg_match('/^\s*([\w.]+)\s*=\s*(?:"([^"]*)"|([^;]*))/', $line, $match) === 1) {
                $this->take($match[1], $match[2] !== '' ? $match[2] : trim($match[3] ?? ''), $depth);
            }
        }
        return $lines !== false;
    }

    private function take(string $name, string $value, int $depth): void
    {
        if ($name !== 'include') {
            $this->sections[$this->section][$name] = $value;
            return;
        }
        $section = $this->section;
        foreach (glob($value) ?: [] as $path) {
            $this->read($path, $depth + 1);
        }
        $this->section = $section;
    }
}
