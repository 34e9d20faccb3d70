# SPDX-License-Identifier: BSD-3-Clause
"""Spack's recipe. It takes the sources from the clone that it lies in: what is committed there on the branch main.

    spack repo add tools/spack && spack install lamellar
"""

import os

from spack.package import *

try:  # Spack 1.0 and newer
    from spack_repo.builtin.build_systems.cmake import CMakePackage
except ImportError:  # older ones have it in spack.package
    pass


class Lamellar(CMakePackage):
    """Distributed data structures and parallel algorithms on a PGAS substrate, in C++20."""

    git = "file://" + os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 4))
    license("BSD-3-Clause")

    version("main", branch="main")

    variant("libfabric", default=True, description="Reach other hosts, through libfabric")
    variant("pmix", default=True, description="Join jobs of mpirun, srun and other PMIx launchers")
    variant("zlib", default=True, description="Read files that gzip has compressed")
    variant("openmp", default=True, description="Loops on a PE use all its threads, through Kokkos' OpenMP")
    variant("checked", default=False, description="Costly assertions are on")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type=("build", "run"))  # lamellarConfig.cmake asks it too

    # Public headers and archives name them: whoever links lamellar needs them.
    depends_on("kokkos@3.4: +serial")
    depends_on("kokkos +openmp", when="+openmp")
    depends_on("cereal")
    depends_on("fmt@9:")
    depends_on("hwloc@2:")
    depends_on("highway@1:")
    depends_on("boost@1.74:")
    depends_on("libfabric@1.14:", when="+libfabric")
    depends_on("pmix@4:", when="+pmix")
    depends_on("zlib-api", when="+zlib")
    # Programs only.
    depends_on("cli11@2:")
    depends_on("nlohmann-json@3:")
    depends_on("doctest", type="test")
    depends_on("python@3.9:", type="test")

    conflicts("%gcc@:11", msg="C++20 with coroutines is needed: GCC 12 or newer")
    conflicts("%clang@:18", msg="C++20 with coroutines is needed: Clang 19 or newer")
    conflicts("platform=darwin", msg="Linux only")
    conflicts("platform=windows", msg="Linux only")

    def cmake_args(self):
        return [
            self.define_from_variant("LAMELLAR_LIBFABRIC", "libfabric"),
            self.define_from_variant("LAMELLAR_PMIX", "pmix"),
            self.define_from_variant("LAMELLAR_ZLIB", "zlib"),
            self.define_from_variant("LAMELLAR_CHECKED", "checked"),
            self.define("LAMELLAR_FETCH_KOKKOS", False),
            self.define("LAMELLAR_TESTS", self.run_tests),
            self.define("LAMELLAR_EXAMPLES", False),
            self.define("LAMELLAR_BENCHMARKS", False),
        ]
