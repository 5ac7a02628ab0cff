"""Paper A's CNN-LSTM: the network, the solver around it, and its training on labels."""

from mec_cf_gym.baselines.learned.cnn_lstm.network import CNNLSTMNetwork
from mec_cf_gym.baselines.learned.cnn_lstm.solver import CNNLSTM, InstalledCNNLSTM

__all__ = ["CNNLSTM", "CNNLSTMNetwork", "InstalledCNNLSTM"]
