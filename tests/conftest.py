"""Hypothesis profiles: ``ci`` (the default) repeats itself; ``deep`` looks further and longer."""

import gc
import os
import re

import pytest
from hypothesis import settings

from autograd.compiler.backends import choice

from . import browser as chromium
from .back_ends import BACK_ENDS

pytest.register_assert_rewrite("tests.compiler.backends.conformance")

settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("deep", max_examples=3000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser):
    parser.addoption("--thorough", action="store_true",
                     help="run the tests of all back ends on jax, too, which take minutes")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--thorough"):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason="runs with --thorough"))


def pytest_make_parametrize_id(val):
    """Options by their text, without addresses of functions: processes must agree on names."""
    return re.sub(r" at 0x\w+", "", str(val)) if isinstance(val, dict) else None


@pytest.fixture(autouse=True, scope="module")
def _collector_leaves_alone_what_is_there():
    """Thousands of tests and what they have imported: a look for cycles would take a second, and a
    forked child would copy all of it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _machine_code_in_a_folder_of_its_own(tmp_path_factory):
    before = os.environ.get("CHAINRULE_CACHE_DIR")
    os.environ["CHAINRULE_CACHE_DIR"] = str(tmp_path_factory.mktemp("machine-code"))
    yield
    if before is None:
        del os.environ["CHAINRULE_CACHE_DIR"]
    else:
        os.environ["CHAINRULE_CACHE_DIR"] = before


@pytest.fixture(autouse=True, scope="session")
def _machine_code_from_the_first_call_on():
    """Else hardly any test would run it; ``llvm/test_deferred.py`` tests what comes before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "WHEN_IT_PAYS", choice.BACK_ENDS["llvm"])
        yield


@pytest.fixture(scope="module", params=BACK_ENDS)  # hypothesis refuses narrower scopes
def backend(request):
    """The name of each back end."""
    return request.param


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for all tests of pages; see ``tests/browser.py``."""
    if chromium.CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with chromium.Browser() as running:
        yield running
