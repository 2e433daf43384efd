"""Groups, audit and mitigation, with aif360 behind them."""
