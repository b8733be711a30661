"""Trained models in the loop: small ones of the kinds that people train, held against what the theory derives."""

from numerics.trained.autoencoder import Autoencoder as Autoencoder
from numerics.trained.components import Components as Components
from numerics.trained.components import clusters as clusters
from numerics.trained.factors import Factors as Factors
from numerics.trained.learner import Learner as Learner
from numerics.trained.letters import Counted as Counted
from numerics.trained.letters import Network as Network
from numerics.trained.letters import windows as windows
from numerics.trained.retraining import retrain as retrain
from numerics.trained.training import Training as Training
