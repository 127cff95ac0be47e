import pickle


class Distributor:
    def __init__(self, nodes):
        self.nodes = nodes

    def push_model(self, model):
        for node in self.nodes.values():
            blob = pickle.dumps(model)
            node.sock.sendall(blob)
