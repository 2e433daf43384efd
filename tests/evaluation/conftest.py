from tests.fixtures.compared import *  # noqa: F403 - fixtures
