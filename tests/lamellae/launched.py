# SPDX-License-Identifier: BSD-3-Clause
"""What holds for a job on one host, whichever launcher that speaks PMIx has started it.

A test of a launcher derives from the classes here and says how a job is started.
"""

import glob
import os
import signal
import subprocess
import tempfile

from jobs import END_LIMIT, LIMIT, JobTest, clean_environment, wait_for, without_noise


class Programs:
    """What the tests start; paths in the order of the command line of the tests."""

    def __init__(self, pe, bootstrap, ladder_folder, word_count):
        self.pe, self.bootstrap, self.word_count = (os.path.abspath(path) for path in (pe, bootstrap, word_count))
        self.ladder = sorted(glob.glob(os.path.join(os.path.abspath(ladder_folder), "test_lamellae_ladder_0*")))


class Launched(JobTest):
    programs = None  # set by the test
    name = ""  # of the launcher, as programs know it
    is_exact = True  # returns the code of a PE that failed, and not that of those it has killed for it

    def start(self, pes, *command, **named):
        return self.start_command(self.command(pes, *command), **named)

    def command(self, pes, *command):
        """How a shell would start `pes` PEs that run `command`."""
        raise NotImplementedError

    def check_good(self, job, limit=LIMIT):
        code, output, errors = job.end(limit)
        self.assertEqual((code, without_noise(errors)), (0, ""), output)
        self.check_nothing_left(job)
        return output

    def check_failure(self, job, *texts, code=None, aborted=False, limit=END_LIMIT):
        """The launcher has its own words for a failure, so only ours are looked for."""
        its_code, output, errors = job.end(limit)
        if code is not None and (self.is_exact or aborted):
            self.assertEqual(its_code, code, errors + output)
        else:
            self.assertNotEqual(its_code, 0, errors + output)
        for text in texts:
            self.assertEqual(errors.count(text), 1, errors)
        self.check_nothing_left(job)
        return errors


class GoodOrder:
    def test_a_job_of_any_size_ends_with_0_and_says_nothing(self):
        for pes in (1, 2, 4):
            output = self.check_good(self.start(pes, self.programs.pe, "finish"))
            self.assertEqual(output.count("ready"), pes)

    def test_pes_hosts_and_exchange(self):
        for pes in (1, 2, 4):
            environment = {"BOOTSTRAP_TEST_HOSTS": " ".join(["0"] * pes), "BOOTSTRAP_TEST_LAUNCHER": self.name}
            output = self.check_good(self.start(pes, self.programs.bootstrap, environment=environment))
            self.assertEqual(output.count("SUCCESS"), pes)

    def test_host_names_override_what_the_launcher_says(self):
        environment = {"BOOTSTRAP_TEST_HOSTS": "0 1 0 1", "BOOTSTRAP_TEST_LAUNCHER": self.name}
        script = 'LAMELLAR_HOST_ID=$((PMIX_RANK % 2)) exec "$0"'
        job = self.start(4, "sh", "-c", script, self.programs.bootstrap, environment=environment)
        self.assertEqual(self.check_good(job).count("SUCCESS"), 4)

    def test_hardware_threads_of_pes_that_are_bound_are_counted_together(self):
        cores = sorted(os.sched_getaffinity(0))[:2]
        environment = {"BOOTSTRAP_TEST_HOSTS": "0 0", "BOOTSTRAP_TEST_LAUNCHER": self.name,
                       "BOOTSTRAP_TEST_THREADS": str(len(cores))}
        script = f'if [ $PMIX_RANK = 0 ]; then core={cores[0]}; else core={cores[-1]}; fi; exec taskset -c $core "$0"'
        job = self.start(2, "sh", "-c", script, self.programs.bootstrap, environment=environment)
        self.assertEqual(self.check_good(job).count("SUCCESS"), 2)

    def test_the_ladder(self):
        self.assertEqual(len(self.programs.ladder), 9)
        for pes in (1, 2, 4):
            for rung in self.programs.ladder:
                with self.subTest(rung=os.path.basename(rung), pes=pes):
                    self.assertEqual(self.check_good(self.start(pes, rung), 3 * LIMIT).count("SUCCESS"), pes)

    def test_words_are_counted_as_by_the_shell(self):
        texts = [path for path in glob.glob("/usr/share/common-licenses/*") if not os.path.islink(path)]
        self.assertTrue(texts)
        script = "cat \"$@\" | tr -cs A-Za-z '\\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1nr -k2,2"
        expected = subprocess.run(["sh", "-c", script, "sh", *texts], check=True, capture_output=True, text=True,
                                  env=clean_environment({"LC_ALL": "C"}), timeout=LIMIT).stdout.split()
        for pes in (1, 2, 4):
            output = self.check_good(self.start(pes, self.programs.word_count, "--top", "1000000000", *texts))
            counts = [line.split() for line in output.split("\n")]
            counts = [words for words in counts if len(words) == 2 and words[0].isdigit()]
            self.assertEqual([word for words in counts for word in words], expected)

    def test_20_starts_leave_nothing(self):
        with tempfile.TemporaryDirectory() as scratch:
            for _ in range(20):
                self.check_good(self.start(2, self.programs.pe, "finish", environment={"TMPDIR": scratch}))
            left = [name for _, folders, files in os.walk(scratch) for name in folders + files if "lamellar" in name]
            self.assertEqual(left, [])

    def test_a_shell_may_stand_between(self):
        self.check_good(self.start(2, "sh", "-c", '"$0" finish; true', self.programs.pe))

    def test_processes_may_be_jobs_of_their_own(self):
        environment = {"LAMELLAR_LAMELLA": "local", "LAMELLAR_PES": "3"}
        output = self.check_good(self.start(2, self.programs.pe, "finish", environment=environment))
        self.assertEqual(output.count("ready"), 6)


class Failures:
    def test_the_code_of_a_failing_pe_is_returned(self):
        for code in (7, 200):
            job = self.start(3, self.programs.pe, "return", "1", str(code))
            job.wait_lines(3)
            self.check_failure(job, code=code)

    def test_leaving_early_is_a_failure(self):
        for code in (0, 5):
            job = self.start(2, self.programs.pe, "leave", "1", str(code))
            job.wait_lines(2)
            self.check_failure(job, code=code or None)

    def test_exit_inside_a_pe_is_refused_by_the_pe_itself(self):
        for code, expected in ((0, 1), (5, 5)):
            job = self.start(2, self.programs.pe, "exit", "1", str(code))
            job.wait_lines(2)
            self.check_failure(job, f"PE 1 left the job by exit({code}) before run returned", code=expected,
                               aborted=True)

    def test_an_abort_speaks_once(self):
        job = self.start(4, self.programs.pe, "abort", "2", "9")
        job.wait_lines(4)
        self.check_failure(job, "lamellar: PE 2 has had enough\n", code=9, aborted=True)

    def test_a_killed_pe_ends_the_others(self):
        for victim in (0, 3):
            job = self.start(4, self.programs.pe, "wait")
            os.kill(sorted(job.pe_processes(4))[victim], signal.SIGKILL)
            self.check_failure(job)

    def test_who_never_joins_ends_the_job_of_the_others(self):
        job = self.start(2, "sh", "-c", 'if [ $PMIX_RANK = 1 ]; then exit 6; fi; exec "$0" finish', self.programs.pe)
        self.check_failure(job, code=6)

    def test_more_pes_than_the_launcher_made_are_refused(self):
        job = self.start(2, self.programs.pe, "finish", environment={"LAMELLAR_PES": "4"})
        errors = self.check_failure(job, code=3)
        self.assertIn(f"LAMELLAR_PES=4: {self.name} has started 2 PEs already", errors)

    def test_a_host_name_for_some_pes_only_is_refused(self):
        script = 'if [ $PMIX_RANK = 1 ]; then export LAMELLAR_HOST_ID=a; fi; exec "$0" finish'
        errors = self.check_failure(self.start(2, "sh", "-c", script, self.programs.pe), code=3)
        self.assertIn("LAMELLAR_HOST_ID is set for PE 1, but not for PE 0", errors)

    def test_a_program_that_a_pe_starts_cannot_join_in_its_place(self):
        job = self.start(2, self.programs.pe, "start", "1", "4")
        job.wait_lines(2)
        self.check_failure(job, f"PE 1 has started this program, and has joined the job of {self.name} itself", code=4)


class LostLaunchers:
    """kill_launcher(job) is the test's: the process that the PEs are children of is lost."""

    def check_gone_with_the_launcher(self, job, processes):
        self.kill_launcher(job, processes)
        job.process.wait(LIMIT)
        self.check_nothing_left(job)

    def test_a_killed_launcher_takes_its_pes_along(self):
        job = self.start(4, self.programs.pe, "wait")
        self.check_gone_with_the_launcher(job, job.pe_processes(4))

    def test_a_killed_launcher_takes_stopped_pes_along(self):
        job = self.start(2, self.programs.pe, "wait")
        processes = job.pe_processes(2)
        os.kill(processes[0], signal.SIGSTOP)
        self.check_gone_with_the_launcher(job, processes)

    def test_a_killed_launcher_takes_pes_behind_a_shell_along(self):
        job = self.start(2, "sh", "-c", '"$0" wait; true', self.programs.pe)
        processes = job.pe_processes(2)
        self.kill_launcher(job, processes)
        wait_for(lambda: not [p for p in processes if os.path.exists(f"/proc/{p}")], "the PEs to end", END_LIMIT)
        self.check_nothing_left(job)
