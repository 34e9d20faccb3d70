#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Properties of lamellar-run: codes, messages, signals, labels, and that nothing is left behind.

Usage: launcher_test.py LAMELLAR_RUN LAUNCHER_PE [unittest arguments]
"""

import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
# pylint: disable=wrong-import-position
from jobs import END_LIMIT, LIMIT, JobTest, clean_environment, processes_with, wait_for

RUN, PE = (os.path.abspath(path) for path in sys.argv[1:3])


class LauncherTest(JobTest):
    def start(self, pes, *command, options=(), **named):
        return self.start_command([RUN, "-n", str(pes), *options, *command], **named)


class GoodOrder(LauncherTest):
    def test_a_job_of_any_size_ends_with_0_and_says_nothing(self):
        for pes in (1, 2, 3, 4):
            code, output, errors = self.start(pes, PE, "finish").end()
            self.assertEqual((code, errors), (0, ""))
            self.assertEqual(output.count("ready"), pes)

    def test_64_pes_start_and_end(self):
        job = self.start(64, PE, "finish")
        code, output, errors = job.end(3 * LIMIT)
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(output.count("ready"), 64)
        self.check_nothing_left(job)

    def test_the_memory_of_a_running_job_has_no_name(self):
        job = self.start(2, PE, "wait")
        processes = job.pe_processes(2)
        links = [os.readlink(f"/proc/{processes[0]}/fd/{fd}") for fd in os.listdir(f"/proc/{processes[0]}/fd")]
        self.assertTrue([link for link in links if link.startswith("/memfd:lamellar-job")])
        self.assertFalse([link for link in links if link.startswith("/dev/shm")])
        self.assertFalse([n for n in set(os.listdir("/dev/shm")) - self.shm_before if "lamellar" in n])

    def test_programs_that_are_no_pes_run_too(self):
        code, output, errors = self.start(3, "sh", "-c", "echo $LAMELLAR_PE of $LAMELLAR_JOB_PES").end()
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(sorted(output.split("\n")), ["", "0 of 3", "1 of 3", "2 of 3"])

    def test_a_shell_may_stand_between(self):
        code, _, errors = self.start(2, "sh", "-c", '"$0" finish; true', PE).end()
        self.assertEqual((code, errors), (0, ""))

    def test_a_code_after_a_good_end_is_returned_without_haste(self):
        job = self.start(2, PE, "finish", "0", "6")
        code, _, errors = job.end()
        self.assertEqual(code, 6)
        self.assertIn("ended with exit code 6", errors)

    def test_pe_0_alone_reads_the_standard_input(self):
        job = self.start(3, "sh", "-c", "cat; echo end $LAMELLAR_PE", stdin=subprocess.PIPE)
        job.process.stdin.write(b"one line\n")
        job.process.stdin.close()
        job.process.stdin = None
        code, output, _ = job.end()
        self.assertEqual(code, 0)
        self.assertEqual(sorted(output.split("\n")), ["", "end 0", "end 1", "end 2", "one line"])

    def test_threads_and_openmp_are_told_to_the_pes(self):
        script = "echo $LAMELLAR_THREADS $OMP_WAIT_POLICY $OMP_PROC_BIND"
        _, output, _ = self.start(1, "sh", "-c", script, options=["--threads", "3"]).end()
        self.assertEqual(output, "3 passive false\n")
        _, output, _ = self.start(1, "sh", "-c", script, environment={"OMP_WAIT_POLICY": "active"}).end()
        self.assertEqual(output, "active false\n")

    def test_pretended_hosts_are_told_to_the_pes_in_blocks(self):
        script = 'echo "$LAMELLAR_PE ${LAMELLAR_HOST_ID-none} ${LAMELLAR_LAMELLA-none}"'
        for options, expected in (((), ["0 none none", "1 none none", "2 none none"]),
                                  (("--hosts", "1"), ["0 host 0 none", "1 host 0 none", "2 host 0 none"]),
                                  (("--hosts=2", "-l", "rofi"), ["0 host 0 rofi", "1 host 0 rofi", "2 host 1 rofi"]),
                                  (("--hosts", "3"), ["0 host 0 none", "1 host 1 none", "2 host 2 none"])):
            code, output, _ = self.start(3, "sh", "-c", script, options=options).end()
            self.assertEqual((code, sorted(output.split("\n")[:-1])), (0, expected))

    def test_one_pretended_host_is_one(self):
        code, _, errors = self.start(2, PE, "finish", options=["--hosts", "1"]).end()
        self.assertEqual((code, errors), (0, ""))


class Labels(LauncherTest):
    def test_each_line_bears_its_pe(self):
        script = 'printf "a $LAMELLAR_PE\\nb $LAMELLAR_PE\\nno end $LAMELLAR_PE"; echo wrong $LAMELLAR_PE >&2'
        code, output, errors = self.start(3, "sh", "-c", script, options=["--label"]).end()
        self.assertEqual(code, 0)
        for pe in range(3):
            mine = [line for line in output.split("\n") if line.startswith(f"[PE {pe}] ")]
            self.assertEqual(mine, [f"[PE {pe}] {text} {pe}" for text in ("a", "b", "no end")])
            self.assertIn(f"[PE {pe}] wrong {pe}\n", errors)
        self.assertEqual(output.count("\n"), 9)

    def test_much_output_arrives_whole(self):
        code, output, _ = self.start(4, "sh", "-c", "seq 1 20000", options=["--label"]).end()
        self.assertEqual(code, 0)
        lines = output.split("\n")[:-1]
        for pe in range(4):
            mine = [line for line in lines if line.startswith(f"[PE {pe}] ")]
            self.assertEqual(mine, [f"[PE {pe}] {k}" for k in range(1, 20001)])
        self.assertEqual(len(lines), 80000)

    def test_labels_do_not_keep_a_job_alive_that_left_others_behind(self):
        job = self.start(2, "sh", "-c", "sleep 1000 & echo started", options=["--label"])
        code, output, _ = job.end()
        self.assertEqual(code, 0)
        self.assertEqual(output.count("started"), 2)
        self.check_nothing_left(job)


class Failures(LauncherTest):
    def check_failure(self, job, code, *texts, limit=END_LIMIT):
        its_code, output, errors = job.end(limit)
        self.assertEqual(its_code, code, errors + output)
        for text in texts:
            self.assertIn(text, errors)
        self.check_nothing_left(job)
        return errors

    def test_the_code_of_a_failing_pe_is_returned(self):
        for pe in (0, 2):
            job = self.start(3, PE, "return", str(pe), "7")
            job.wait_lines(3)
            self.check_failure(job, 7, f"PE {pe} failed with exit code 7")

    def test_leaving_early_with_code_0_is_a_failure(self):
        job = self.start(2, PE, "leave", "1", "0")
        job.wait_lines(2)
        self.check_failure(job, 1, "PE 1 left the job without finishing (exit code 0)")

    def test_exit_inside_a_pe_is_refused_by_the_pe_itself(self):
        for code, expected in ((0, 1), (5, 5)):
            job = self.start(2, PE, "exit", "1", str(code))
            job.wait_lines(2)
            errors = self.check_failure(job, expected, f"PE 1 left the job by exit({code}) before run returned")
            self.assertNotIn("lamellar-run", errors)

    def test_an_abort_speaks_once(self):
        job = self.start(3, PE, "abort", "2", "9")
        job.wait_lines(3)
        errors = self.check_failure(job, 9, "lamellar: PE 2 has had enough\n")
        self.assertEqual(errors.count("\n"), 1)

    def test_a_host_name_for_some_pes_only_is_refused(self):
        script = 'if [ $LAMELLAR_PE = 1 ]; then export LAMELLAR_HOST_ID=a; fi; exec "$0" finish'
        self.check_failure(self.start(2, "sh", "-c", script, PE), 3,
                           "LAMELLAR_HOST_ID is set for PE 1, but not for PE 0")

    def test_an_exception_ends_the_job(self):
        job = self.start(2, PE, "throw", "0")
        job.wait_lines(2)
        self.check_failure(job, 128 + signal.SIGABRT, "PE 0 was killed by SIGABRT")

    def test_who_never_joins_ends_the_job_of_the_others(self):
        script = 'exec "$0" stay-out 1 0 $LAMELLAR_PE'
        self.check_failure(self.start(3, "sh", "-c", script, PE), 1, "PE 1 ended without joining the job")

    def test_a_killed_pe_ends_the_others(self):
        for victim in (0, 3):
            job = self.start(4, PE, "wait", options=["--label"])
            lines = job.wait_lines(4)
            process = next(int(line.split()[-1]) for line in lines if line.startswith(b"[PE %d] " % victim))
            os.kill(process, signal.SIGKILL)
            self.check_failure(job, 128 + signal.SIGKILL, f"PE {victim} was killed by SIGKILL")

    def test_all_pes_killed_at_once(self):
        job = self.start(4, PE, "wait")
        for process in job.pe_processes(4):
            os.kill(process, signal.SIGKILL)
        self.check_failure(job, 128 + signal.SIGKILL, "was killed by SIGKILL")

    def test_a_killed_launcher_takes_its_pes_along(self):
        job = self.start(4, PE, "wait")
        job.wait_lines(4)
        job.process.kill()
        job.process.wait()
        self.check_nothing_left(job)

    def test_a_killed_launcher_takes_pes_behind_a_shell_along(self):
        job = self.start(2, "sh", "-c", '"$0" wait; true', PE)
        job.wait_lines(2)
        # The launcher, two shells and two PEs.
        self.assertEqual(len(processes_with(job.mark)), 5)
        job.process.kill()
        job.process.wait()
        self.check_nothing_left(job)

    def test_launcher_and_all_pes_killed_at_once(self):
        job = self.start(4, PE, "wait")
        job.wait_lines(4)
        for process in processes_with(job.mark):
            os.kill(process, signal.SIGKILL)
        job.process.wait()
        self.check_nothing_left(job)

    def test_a_pe_that_ignores_the_request_to_end_is_killed(self):
        # PE 1 fails on our word, when PE 0 has seen to it that it cannot be asked to end.
        script = ('if [ $LAMELLAR_PE = 1 ]; then read line < "$0"; exit 4; fi; '
                  'trap "" TERM; echo armed; while :; do sleep 1000; done')
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        self.addCleanup(os.close, write_end)
        job = self.start(2, "sh", "-c", script, f"/proc/{os.getpid()}/fd/{read_end}")
        job.wait_lines(1, b"armed")
        os.write(write_end, b"go\n")
        self.check_failure(job, 4, "PE 1 failed with exit code 4")

    def test_grandchildren_end_with_the_job(self):
        job = self.start(2, PE, "grandchildren")
        self.assertEqual(job.end()[0], 0)
        self.check_nothing_left(job)
        job = self.start(2, PE, "grandchildren", "0", "1")
        process = job.pe_processes(2)[0]
        wait_for(lambda: len(processes_with(job.mark)) == 7, "all grandchildren")
        os.kill(process, signal.SIGKILL)
        self.check_failure(job, 128 + signal.SIGKILL)

    def test_a_stopped_pe_counts_as_lost_after_the_timeout(self):
        job = self.start(2, PE, "wait", environment={"LAMELLAR_PEER_TIMEOUT": "0.3"})
        os.kill(job.pe_processes(2)[0], signal.SIGSTOP)
        self.check_failure(job, 1, "was stopped for", "LAMELLAR_PEER_TIMEOUT")

    def test_a_stopped_pe_that_continues_is_not_lost(self):
        job = self.start(2, PE, "signals", environment={"LAMELLAR_PEER_TIMEOUT": "1000"})
        process = job.pe_processes(2)[0]
        os.kill(process, signal.SIGSTOP)
        os.kill(process, signal.SIGCONT)
        job.process.send_signal(signal.SIGTERM)
        self.assertEqual(job.end()[0], 0)


class Signals(LauncherTest):
    def test_signals_go_on_to_every_pe(self):
        job = self.start(3, PE, "signals")
        job.wait_lines(3)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT):
            job.process.send_signal(number)
            job.wait_lines(3, b"got " + number.name.encode())
        # Each PE has taken the requests to end as its own affair, so its own end is what counts.
        job.process.send_signal(signal.SIGTERM)
        self.assertEqual(job.end()[0], 0)
        self.check_nothing_left(job)

    def test_the_second_interrupt_ends_those_that_took_the_first_for_themselves(self):
        job = self.start(2, PE, "signals")
        job.wait_lines(2)
        job.process.send_signal(signal.SIGINT)
        job.wait_lines(2, b"got SIGINT")
        job.process.send_signal(signal.SIGINT)
        job.wait_lines(2, b"got SIGTERM")
        job.end()
        self.check_nothing_left(job)

    def test_a_terminated_job_returns_the_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            job = self.start(2, PE, "wait")
            job.wait_lines(2)
            job.process.send_signal(number)
            code, _, errors = job.end(END_LIMIT)
            self.assertEqual(code, 128 + number)
            self.assertIn(f"ended by {number.name}", errors)
            self.check_nothing_left(job)


class BadUsage(LauncherTest):
    def check_refused(self, arguments, code, *texts, environment=None):
        done = subprocess.run([RUN, *arguments], env=clean_environment(environment), timeout=LIMIT,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        errors = done.stderr.decode()
        self.assertEqual(done.returncode, code, errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        for text in ("lamellar-run: ", *texts):
            self.assertIn(text, errors)

    def test_wrong_arguments(self):
        self.check_refused([], 2, "-n N")
        self.check_refused(["-n", "2"], 2, "which program")
        self.check_refused(["-n"], 2, "value is missing")
        self.check_refused(["true"], 2, "how many PEs")
        for number in ("0", "-1", "two", "", "1.5", "99999999999"):
            self.check_refused(["-n", number, "true"], 2, "-n", "whole number")
        self.check_refused(["--pse=2", "true"], 2, "--pse=2: no such option")
        self.check_refused(["-n2", "--label=yes", "true"], 2, "--label=yes")
        self.check_refused(["-n", "2", "--lamella", "pigeon", "true"], 2, "pigeon")
        self.check_refused(["-n", "2", "--hosts", "0", "true"], 2, "--hosts 0", "whole number")
        self.check_refused(["-n", "2", "--hosts", "3", "true"], 2, "--hosts 3", "1 to 2")
        self.check_refused(["-n", "2", "--hosts", "2", "-l", "shmem", "true"], 2, "--hosts 2", "rofi")

    def test_more_pes_than_a_host_holds(self):
        self.check_refused(["-n", "100000", "true"], 2, "4096")

    def test_a_budget_too_small_for_the_pes(self):
        self.check_refused(["-n", "64", "true"], 2, "LAMELLAR_JOB_BUDGET",
                           environment={"LAMELLAR_JOB_BUDGET": "1M"})

    def test_too_few_descriptors_for_labels(self):
        script = f'ulimit -n 16; exec "{RUN}" -n 32 --label true'
        done = subprocess.run(["bash", "-c", script], timeout=LIMIT, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("ulimit -n", done.stderr.decode())

    def test_programs_that_cannot_run(self):
        self.check_refused(["-n", "3", "/no/such/program"], 127, "/no/such/program", "No such file")
        self.check_refused(["-n", "3", "/etc/passwd"], 126, "/etc/passwd", "Permission denied")

    def test_a_wrong_environment_is_told_once(self):
        self.check_refused(["-n", "4", "true"], 2, "LAMELLAR_THREAD", "LAMELLAR_THREADS",
                           environment={"LAMELLAR_THREAD": "2"})
        self.check_refused(["-n", "4", "true"], 2, "LAMELLAR_BUFFER_BYTES=100",
                           environment={"LAMELLAR_BUFFER_BYTES": "100"})
        self.check_refused(["-n", "4", "true"], 2, "LAMELLAR_PES=4", environment={"LAMELLAR_PES": "4"})
        self.check_refused(["-n", "4", "true"], 2, "lamella local", environment={"LAMELLAR_LAMELLA": "local"})

    def check_pe_refuses(self, environment, *texts, prefix=(), pass_fds=()):
        done = subprocess.run([*prefix, PE, "finish"], env=clean_environment(environment), timeout=LIMIT,
                              capture_output=True, check=False, pass_fds=pass_fds)
        self.assertEqual(done.returncode, 3)
        for text in texts:
            self.assertIn(text, done.stderr.decode())

    def test_a_pe_with_a_wrong_descriptor_says_so(self):
        place = {"LAMELLAR_PE": "0", "LAMELLAR_JOB_PES": "2"}
        self.check_pe_refuses({**place, "LAMELLAR_JOB_FD": "999"}, "LAMELLAR_JOB_FD=999", "no such descriptor")
        self.check_pe_refuses({**place, "LAMELLAR_JOB_FD": "0"}, "LAMELLAR_JOB_FD=0", "not a job's memory")
        self.check_pe_refuses(place, "LAMELLAR_JOB_FD is missing")
        memory = os.memfd_create("other", 0)
        os.write(memory, b"ramellar" + bytes(8192))
        self.check_pe_refuses({**place, "LAMELLAR_JOB_FD": str(memory)}, "not a job's memory", pass_fds=(memory,))
        os.pwrite(memory, (0x6C616D656C6C6172).to_bytes(8, "little") + (99).to_bytes(4, "little"), 0)
        self.check_pe_refuses({**place, "LAMELLAR_JOB_FD": str(memory)}, "another version", "99", pass_fds=(memory,))
        os.close(memory)

    def test_shmem_without_a_launcher_says_what_to_write(self):
        self.check_pe_refuses({"LAMELLAR_LAMELLA": "shmem"}, "lamellar-run -n N")

    def test_processes_of_a_launcher_that_joins_nobody_are_refused(self):
        self.check_pe_refuses({"SLURM_STEP_NUM_TASKS": "4"}, "srun has started 4 processes", "LAMELLAR_LAMELLA=local")
        self.check_pe_refuses({"PMI_SIZE": "3"}, "mpiexec has started 3 processes")
        self.check_pe_refuses({"OMPI_COMM_WORLD_SIZE": "2"}, "mpirun has started 2 processes")
        self.check_pe_refuses({"PMIX_RANK": "0", "PMIX_NAMESPACE": "left over"}, "LAMELLAR_LAMELLA=local")

    def test_a_single_process_of_such_a_launcher_is_a_job(self):
        # A batch script of Slurm's has SLURM_NTASKS, and starts what belongs to no step.
        for environment in ({"SLURM_STEP_NUM_TASKS": "1"}, {"PMI_SIZE": "1"}, {"SLURM_NTASKS": "4"},
                            {"PMI_SIZE": "3", "LAMELLAR_LAMELLA": "local"}):
            done = subprocess.run([PE, "finish"], env=clean_environment(environment), timeout=LIMIT,
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_program_that_a_pe_starts_cannot_join_in_its_place(self):
        job = self.start(1, "sh", "-c", '"$0" finish && "$0" finish', PE)
        code, _, errors = job.end()
        self.assertEqual(code, 3)
        self.assertIn("has joined the job in this place", errors)


class WithoutLauncher(unittest.TestCase):
    """PEs as threads of one process end it by the same words."""

    def check(self, arguments, code, errors):
        done = subprocess.run([PE, *arguments], env=clean_environment({"LAMELLAR_PES": "4"}), timeout=LIMIT,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (code, errors))
        # What was printed before the end is not lost.
        self.assertEqual(done.stdout.count("ready"), 4)

    def test_all_finish(self):
        self.check(["finish"], 0, "")

    def test_an_abort_speaks_once(self):
        self.check(["abort", "3", "9"], 9, "lamellar: PE 3 has had enough\n")

    def test_an_abort_is_never_a_success(self):
        for code in ("0", "256"):
            self.check(["abort", "1", code], 1, "lamellar: PE 1 has had enough\n")

    def test_exit_inside_a_pe_is_refused(self):
        for pe, code, expected in (("2", "0", 1), ("0", "0", 1), ("1", "5", 5)):
            self.check(["exit", pe, code], expected,
                       f"lamellar: PE {pe} left the job by exit({code}) before run returned; "
                       "return from the body instead\n")


class Help(LauncherTest):
    def test_help_and_version(self):
        for option, text in (("--help", "--label"), ("-h", "PROGRAM"), ("--version", "lamellar-run ")):
            done = subprocess.run([RUN, option], timeout=LIMIT, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertIn(text, done.stdout.decode())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
