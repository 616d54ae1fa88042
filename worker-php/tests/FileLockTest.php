<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\FileLock;
use FpmBridge\Worker\Message;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;
use RuntimeException;

final class FileLockTest extends TestCase
{
    private string $folder;
    private Message $message;

    protected function setUp(): void
    {
        $this->folder = sys_get_temp_dir() . '/fpm-bridge-lock-' . bin2hex(random_bytes(4));
        mkdir($this->folder);
        $this->message = Request::message();
    }

    protected function tearDown(): void
    {
        array_map('unlink', glob("{$this->folder}/*") ?: []);
        rmdir($this->folder);
    }

    public function testLetsOneExecuteAtATime(): void
    {
        [$mine, $other] = [$this->lock(), $this->lock()];
        self::assertSame('acquired', $mine->acquire('m', $this->message)->name);
        self::assertSame('busy', $other->acquire('m', $this->message)->name);
        self::assertSame('acquired', $other->acquire('another', $this->message)->name);
        $mine->release('m');
        self::assertSame('acquired', $other->acquire('m', $this->message)->name);
    }

    public function testRemembersWhatIsDone(): void
    {
        $lock = $this->lock();
        $lock->acquire('m', $this->message);
        $lock->done('m');
        self::assertSame('done', $lock->acquire('m', $this->message)->name);
        self::assertSame('done', $this->lock()->acquire('m', $this->message)->name);
    }

    public function testNobodyElseCanOpenItsFiles(): void
    {
        $mask = umask(0);
        $this->lock()->acquire('m', $this->message);
        self::assertSame(0, umask($mask), 'the mask is as it was');
        [$file] = glob("{$this->folder}/*");
        self::assertSame(0o600, fileperms($file) & 0o777);
    }

    public function testOnlyTheHolderCanSayThatItIsDone(): void
    {
        $this->lock()->acquire('m', $this->message);
        $this->expectException(RuntimeException::class);
        $this->lock()->done('m');
    }

    public function testTakesIdsOfAnyBytes(): void
    {
        $lock = $this->lock();
        foreach (['../../etc/passwd', "\xff\x00", str_repeat('ä', 127), 'a', 'A'] as $id) {
            self::assertSame('acquired', $lock->acquire($id, $this->message)->name);
        }
        self::assertCount(5, glob("{$this->folder}/*.message"));
    }

    public function testWhatWasBegunToBeWrittenIsNotDone(): void
    {
        $lock = $this->lock();
        $lock->acquire('m', $this->message);
        $lock->release('m');
        [$file] = glob("{$this->folder}/*");
        file_put_contents($file, 'do');
        self::assertSame('acquired', $lock->acquire('m', $this->message)->name);
        $lock->done('m');
        self::assertSame('done', $lock->acquire('m', $this->message)->name);
    }

    public function testAProcessThatIsKilledLosesTheLockAndItsChildrenDoNotHaveIt(): void
    {
        $code = 'require $argv[1]; $lock = new FpmBridge\Worker\FileLock($argv[2]);'
            . ' $message = FpmBridge\Worker\Message::fromArrays(json_decode($argv[3], true));'
            . ' $lock->acquire("m", $message);'
            . ' $child = proc_open(["sleep", "60"], [["file", "/dev/null", "r"], ["file", "/dev/null", "w"]], $pipes);'
            . ' echo proc_get_status($child)["pid"], "\n"; sleep(60);';
        $autoload = __DIR__ . '/../autoload.php';
        $command = [PHP_BINARY, '-r', $code, $autoload, $this->folder, json_encode(Request::PARAMS)];
        $process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        $child = (int) fgets($pipes[1]);
        try {
            self::assertSame('busy', $this->lock()->acquire('m', $this->message)->name);
            // Between fork and exec it is a copy of its parent, lock included.
            for ($look = 0; $look < 5_000 && file_get_contents("/proc/{$child}/comm") !== "sleep\n"; $look += 1) {
                usleep(1_000);
            }
            proc_terminate($process, 9);
            proc_close($process);
            self::assertTrue(posix_kill($child, 0), 'its child lives on');
            self::assertSame('acquired', $this->lock()->acquire('m', $this->message)->name);
        } finally {
            posix_kill($child, 9);
        }
    }

    public function testPrunesWhatIsOldAndNobodyHas(): void
    {
        $lock = $this->lock();
        foreach (['old', 'held', 'new'] as $id) {
            $lock->acquire($id, $this->message);
        }
        foreach (['old', 'new'] as $id) {
            $lock->done($id);
        }
        foreach (['old', 'held'] as $id) {
            touch("{$this->folder}/" . hash('sha256', $id) . '.message', time() - 3_600);
        }
        self::assertSame(1, $this->lock()->prune(60));
        self::assertSame('acquired', $this->lock()->acquire('old', $this->message)->name);
        self::assertSame('busy', $this->lock()->acquire('held', $this->message)->name);
        self::assertSame('done', $this->lock()->acquire('new', $this->message)->name);
    }

    public function testNeedsItsFolder(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage("{$this->folder}/missing, does not exist");
        new FileLock("{$this->folder}/missing");
    }

    private function lock(): FileLock
    {
        return new FileLock($this->folder);
    }
}
