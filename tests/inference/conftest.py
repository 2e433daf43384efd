from tests.fixtures.loaded import *  # noqa: F403 - fixtures
