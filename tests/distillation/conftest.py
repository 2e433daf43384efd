from tests.fixtures.distilling import *  # noqa: F403 - fixtures
from tests.fixtures.embedding import build_phases  # noqa: F401 - a fixture
