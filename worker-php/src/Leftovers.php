<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What one message's handler leaves to the next, as far as PHP can put it back. To look costs about 2 us a message, so of
 * the ini settings it looks at those that handlers do change: to compare them all would take ten times as long.
 *
 * @internal
 */
final class Leftovers
{
    private const SETTINGS = [
        'default_socket_timeout', 'display_errors', 'error_log', 'error_reporting', 'ignore_user_abort', 'include_path',
        'log_errors', 'memory_limit', 'pcre.backtrack_limit', 'pcre.jit', 'precision', 'serialize_precision',
    ];

    private const LOCALES = [LC_COLLATE, LC_CTYPE, LC_MONETARY, LC_NUMERIC, LC_TIME, LC_MESSAGES];

    /** Handlers that may lie upon each other before one's own is put on top. */
    private const DEEPEST = 32;

    /** @var array<string, string> */
    private readonly array $settings;
    private readonly string $timezone;
    private readonly string $locale;
    /** @var array<int, string> by category */
    private readonly array $locales;
    private readonly int $umask;
    private readonly string|false $folder;
    private readonly mixed $errorHandler;
    private readonly mixed $exceptionHandler;
    private readonly ?string $encoding;
    private readonly ?bool $xmlErrors;
    private readonly ?string $session;

    /** Notes how things are. */
    public function __construct()
    {
        $canBeSet = function_exists('ini_set') ? self::SETTINGS : [];
        $settings = array_map(ini_get(...), array_combine($canBeSet, $canBeSet));
        $this->settings = array_filter($settings, is_string(...));
        $this->timezone = date_default_timezone_get();
        $this->locale = (string) setlocale(LC_ALL, '0');
        $each = array_map(static fn (int $category): string => (string) setlocale($category, '0'), self::LOCALES);
        $this->locales = array_combine(self::LOCALES, $each);
        $this->umask = umask();
        $this->folder = getcwd();
        $this->errorHandler = self::errorHandler();
        $this->exceptionHandler = self::exceptionHandler();
        $this->encoding = function_exists('mb_internal_encoding') ? mb_internal_encoding() : null;
        $this->xmlErrors = function_exists('libxml_use_internal_errors') ? libxml_use_internal_errors() : null;
        $this->session = function_exists('session_id') ? (string) session_id() : null;
    }

    public function putBack(): void
    {
        // First: from here on, errors are the application's again.
        $this->putBackHandlers();
        foreach ($this->settings as $name => $value) {
            if (ini_get($name) !== $value) {
                self::set($name, $value);
            }
        }
        if (date_default_timezone_get() !== $this->timezone) {
            date_default_timezone_set($this->timezone);
        }
        if (setlocale(LC_ALL, '0') !== $this->locale) {
            array_map(setlocale(...), array_keys($this->locales), $this->locales);
        }
        if (umask() !== $this->umask) {
            umask($this->umask);
        }
        if ($this->folder !== false && getcwd() !== $this->folder) {
            @chdir($this->folder);
        }
        if ($this->encoding !== null && mb_internal_encoding() !== $this->encoding) {
            mb_internal_encoding($this->encoding);
        }
        if ($this->xmlErrors !== null && libxml_use_internal_errors() !== $this->xmlErrors) {
            libxml_use_internal_errors($this->xmlErrors);
        }
        if ($this->session !== null && session_id() !== $this->session) {
            $this->endSession();
        }
    }

    /** A memory_limit below what is in use does not go; then the request ends. */
    private static function set(string $name, string $value): void
    {
        if ($value === '') {
            // That stands for none, too, which no ini_set() can say.
            ini_restore($name);
        }
        if (ini_get($name) !== $value) {
            @ini_set($name, $value);
        }
    }

    private function putBackHandlers(): void
    {
        for ($left = self::DEEPEST; self::errorHandler() !== $this->errorHandler; $left -= 1) {
            // A handler may have taken away more than it had set.
            $left > 0 ? restore_error_handler() : set_error_handler($this->errorHandler);
        }
        for ($left = self::DEEPEST; self::exceptionHandler() !== $this->exceptionHandler; $left -= 1) {
            $left > 0 ? restore_exception_handler() : set_exception_handler($this->exceptionHandler);
        }
    }

    /** The next message that starts a session gets one of its own. */
    private function endSession(): void
    {
        if (session_status() === PHP_SESSION_ACTIVE) {
            session_write_close();
        }
        session_id((string) $this->session);
        unset($_SESSION);
    }

    private static function errorHandler(): mixed
    {
        $current = set_error_handler(null);
        restore_error_handler();
        return $current;
    }

    private static function exceptionHandler(): mixed
    {
        $current = set_exception_handler(null);
        restore_exception_handler();
        return $current;
    }
}
