from tests.fixtures.compared import gone, student, texts  # noqa: F401 - fixtures
from tests.fixtures.distilling import *  # noqa: F403 - fixtures
