from tests.fixtures.distilling import *  # noqa: F403 - fixtures
