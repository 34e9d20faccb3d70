#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kmer_count_test.py KMER_COUNT LAMELLAR_RUN [READS_GZIP]

The example must give exactly the answer of a serial program: for small files that are made here, and for the phage lambda
and reads of it, where Debian's bowtie2-examples is installed. READS_GZIP is 1 where the build reads compressed files.
"""
import collections
import glob
import gzip
import os
import random
import sys
import tempfile

from example_runs import Example

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def sequences(path):
    """The sequences of a FASTA or FASTQ file, in order."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as file:
        lines = file.read().replace("\r\n", "\n").split("\n")
    if lines[0].startswith("@"):
        return [lines[k + 1] for k in range(0, len(lines) - 1, 4)]
    found = []
    for line in lines:
        if line.startswith(">"):
            found.append("")
        elif line:
            found[-1] += line
    return found


def count(paths, k):
    counts = collections.Counter()
    records = 0
    for path in paths:
        for sequence in sequences(path):
            records += 1
            sequence = sequence.upper()
            for i in range(len(sequence) - k + 1):
                kmer = sequence[i:i + k]
                if set(kmer) <= set("ACGT"):
                    counts[min(kmer, kmer[::-1].translate(COMPLEMENT))] += 1
    return counts, records


def expected(paths, k, top):
    counts, records = count(paths, k)
    lines = [f"{n:7} {kmer}" for kmer, n in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:top]]
    spectrum = collections.Counter(counts.values())
    lines += [f"{spectrum[n]} come {n} times" for n in sorted(spectrum) if n <= 10]
    lines.append(f"{sum(counts.values())} {k}-mers, {len(counts)} of them distinct, in {records} sequences; 0 bad lines")
    return "\n".join(lines) + "\n"


def make_files(folder):
    dice = random.Random(20)
    dna = lambda n, letters="ACGT": "".join(dice.choice(letters) for _ in range(n))
    genome = dna(3000)

    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w", newline="") as file:
            file.write(text)
        return path

    def wrapped(text, width, end):
        return end.join(text[i:i + width] for i in range(0, len(text), width)) + end

    fasta = "".join(f">contig {k}\n" + wrapped(genome[k * 700:(k + 1) * 700 + 90], 60, "\n") for k in range(4))
    reads = [genome[i:i + 100] for i in (dice.randrange(2900) for _ in range(200))]
    reads = [read if dice.random() < 0.5 else read[::-1].translate(COMPLEMENT) for read in reads]
    fastq = "".join(f"@read {k}\n{read}\n+\n{'@' * len(read)}\n" for k, read in enumerate(reads))
    return {
        "fasta": write("contigs.fa", fasta),
        "fastq": write("reads.fq", fastq),
        "odd": write("odd.fa", ">crlf, lower case and gaps\r\n" + wrapped(dna(500, "ACGTacgtNn"), 37, "\r\n") +
                     ">empty\r\n>short\r\nACG\r\n>no end\r\nACGTTGCAACGTTGCAGGGG"),
        "equal": write("equal.fa", ">a\n" + "A" * 5000 + "\n>t\n" + "t" * 5000 + "\n"),
        "bad": write("bad.fa", ">one\nACGTACGT\nACG!ACGT\n>two\nACGT\n"),
        "bad fastq": write("bad.fq", "@one\nACGT\nIIII\n+\n"),
    }


def main(program, lamellar_run, reads_gzip="0"):
    example = Example(program, lamellar_run)
    example.check_help()
    with tempfile.TemporaryDirectory() as folder:
        made = make_files(folder)
        for names in (["fasta"], ["fastq"], ["odd"], ["equal"], ["fasta", "fastq", "odd", "equal"]):
            paths = [made[name] for name in names]
            for k in (1, 4, 21, 31):
                example.check(f"{names}, k = {k}", ["--k", str(k), "--top", "20", *paths], expected(paths, k, 20))
        example.check_refusal("another letter", [made["bad"]], [made["bad"] + ":3:", "'!'", "--skip-bad-lines"])
        example.check_refusal("no quality", [made["bad fastq"]], [made["bad fastq"] + ":3:"])
        example.check_refusal("no file", [os.path.join(folder, "none")], ["none"])
        example.check("a bad line skipped", ["--k", "4", "--top", "1", "--skip-bad-lines", made["bad"]],
                      expected_with_gap(made["bad"], 4))
        check_phage(example, folder, reads_gzip == "1")
    example.finish()


def check_phage(example, folder, reads_gzip):
    """The genome of a phage, and reads of both strands of it, of some hundred letters and with errors and gaps."""
    installed = [glob.glob(f"/usr/share/doc/bowtie2*/**/{name}*", recursive=True)
                 for name in ("lambda_virus.fa", "reads_1.fq", "reads_2.fq")]
    if not all(installed):
        print("left out: the phage lambda and its reads, which Debian's bowtie2-examples has")
        return
    given = [paths[0] for paths in installed]
    plain = []
    for path in given:
        plain.append(os.path.join(folder, os.path.basename(path).removesuffix(".gz")))
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as source, open(plain[-1], "wb") as copy:
            copy.write(source.read())
    example.check("phage lambda", ["--top", "5", plain[0]], expected(plain[:1], 21, 5))
    of_all = expected(plain, 21, 20)
    example.check("phage lambda and its reads", ["--top", "20", *plain], of_all)
    if reads_gzip:
        example.check("the same, compressed", ["--top", "20", *given], of_all)
    else:
        print("left out: the same compressed, for this build has no zlib")


def expected_with_gap(path, k):
    """The answer where the one bad line is left out, and nothing goes on over it."""
    text = open(path).read().replace("ACG!ACGT", "NNNN")
    with tempfile.NamedTemporaryFile("w", suffix=".fa") as copy:
        copy.write(text)
        copy.flush()
        return expected([copy.name], k, 1).replace("0 bad lines", "1 bad lines")


main(*sys.argv[1:])
