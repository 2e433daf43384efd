"""Groups, audit and mitigation, based on aif360."""
